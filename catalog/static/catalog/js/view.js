// All that is on the page, shown and hidden together: the start, the work, and what is said about them.

import { headline, scope, trouble, widened } from "./answer.js";
import { Asked } from "./asked.js";
import { Chips } from "./chips.js";
import { Copies } from "./copies.js";
import { Facets } from "./facets.js";
import { Facts } from "./facts.js";
import { Look, lookCount } from "./look.js";
import { byId, counted, fill, icon, learn, page, texts } from "./page.js";
import { keepRecent, Recent } from "./recent.js";
import { Results } from "./results.js";
import { Stage } from "./stage.js";
import { Strip } from "./strip.js";
import { Taste } from "./taste.js";
import { Wishes } from "./wishes.js";
import { Words } from "./words.js";

export class View {
  /** `calls` are what the shopper can do; see search.js. */
  constructor(calls) {
    this.stage = new Stage(calls);
    this.asked = new Asked(calls);
    this.results = new Results({ ...calls, onNearest: () => this.#count() });
    this.chips = new Chips(calls);
    this.wishes = new Wishes(calls);
    this.facets = new Facets(calls);
    this.words = new Words(calls);
    this.look = new Look(calls);
    this.copies = new Copies();
    this.facts = new Facts();
    this.taste = new Taste(calls);
    this.recent = new Recent();
    this.strip = new Strip();
    this.shown = null;
  }

  get isStart() {
    return byId("start").hidden === false;
  }

  get hasError() {
    return byId("start-error").childElementCount > 0;
  }

  start({ keepsError = false } = {}) {
    this.shown = null;
    byId("start").hidden = false;
    byId("work").hidden = true;
    byId("top-actions").hidden = true;
    if (!keepsError) byId("start-error").replaceChildren();
    this.recent.show();
    this.taste.hide();
    this.strip.hide();
    document.title = `${byId("start-title").textContent} · Shop Search`;
  }

  /** The page of a search whose answer is on its way, with the photo or while that is being decoded. */
  wait({ photo, product, asked }) {
    this.#work({ hasPicture: photo !== undefined || Boolean(product) });
    scrollTo({ top: 0 });
    this.asked.show(product);
    if (!product) this.stage.open(photo ?? null);
    this.chips.clear();
    this.wishes.clear();
    this.facets.clear();
    this.look.clear();
    this.copies.clear();
    this.taste.hide();
    this.facts.clear();
    this.words.show(asked);
    this.strip.hide();
    byId("share").hidden = true; // there is no link yet
    this.#title(texts.searching);
    this.note("");
    this.results.wait();
  }

  show(shown) {
    const { answer, photo, product, asked } = shown;
    this.shown = shown;
    learn(answer.facets);
    this.#work({ hasPicture: Boolean(answer.image) || Boolean(product) });
    const canSearch = Boolean(photo || asked.product || asked.q);
    this.asked.show(product);
    if (!product) this.stage.show(answer, photo);
    this.words.show(asked);
    this.chips.show(answer, { canChoose: canSearch });
    this.wishes.show(answer, asked, { canChange: canSearch });
    this.results.show(answer, asked);
    this.facets.show(answer, asked, { canChange: canSearch, count: this.results.count });
    if (!canSearch) this.results.moreRow.hidden = true;
    this.look.show(answer, asked, { canSearch: Boolean(photo) });
    this.taste.show(answer, asked, { canChange: canSearch });
    this.copies.show(answer, photo);
    this.facts.show(answer, photo);
    byId("share").hidden = false;
    if (Look.isOf(answer, asked)) this.#tellLook(answer);
    else this.#tell(answer);
  }

  #tell(answer) {
    byId("chips").hidden = false;
    this.#title(headline(answer));
    this.#count();
    document.title = `${scope(answer)} · Shop Search`;
    this.say(`${headline(answer)}. ${fill(texts.resultsIn, { results: this.#counts(), category: scope(answer) })}`);
    if (answer.image) this.strip.show(answer, { what: scope(answer), count: this.#counts() });
    else this.strip.hide();
  }

  /** The whole look stands in place of the one item's results. */
  #tellLook(answer) {
    byId("chips").hidden = true;
    this.stage.select(null);
    this.stage.mark(null);
    this.results.hide();
    this.#title(texts.lookTitle);
    this.note(lookCount(answer));
    document.title = `${texts.lookTitle} · Shop Search`;
    this.say(`${texts.lookTitle}. ${lookCount(answer)}`);
    this.strip.show({ ...answer, selected: { box: null } }, { what: texts.lookTitle, count: lookCount(answer) });
  }

  /** Keeps the search shown among the latest of this device. */
  keep(address) {
    const { answer, asked, product } = this.shown;
    const label = product?.title ?? ([scope(answer), asked.q].filter(Boolean).join(": ") || texts.everything);
    return keepRecent(this.shown, { address, label });
  }

  /** More of the same came in below. */
  added(answer) {
    const added = this.results.add(answer);
    this.taste.show(this.shown.answer, this.shown.asked, { canChange: true });
    this.#count();
    this.say(added ? counted(texts.results, this.results.count) : texts.allShown);
  }

  /** A question failed; `actions` are the ways on. */
  fail(error, actions) {
    const [words, advice] = trouble(error);
    this.#title(words);
    this.note("");
    this.chips.clear();
    this.say(`${words}. ${advice}`);
    this.results.fail(["", advice], actions);
  }

  /** What can't be searched with: said where the shopper is, and nothing shown is lost. */
  refuse([words, advice]) {
    if (!this.isStart) return this.results.fail([words, advice], [], { keeps: true });
    const message = document.createElement("p");
    message.className = "start-error";
    const sentence = document.createElement("span");
    const strong = document.createElement("strong");
    strong.textContent = `${words}.`;
    sentence.append(strong, ` ${advice}`);
    message.append(icon("alert"), sentence);
    return byId("start-error").replaceChildren(message);
  }

  note(text) {
    byId("found-note").textContent = text;
  }

  /** Says it to screen readers; the same words twice would be heard once. */
  say(text) {
    const said = byId("said");
    said.textContent = said.textContent === text ? `${text}\u00a0` : text;
  }

  #work({ hasPicture }) {
    byId("start").hidden = true;
    byId("work").hidden = false;
    byId("top-actions").hidden = false;
    byId("start-error").replaceChildren();
    byId("work").classList.toggle("is-photoless", !hasPicture); // asked in words
  }

  #title(text) {
    byId("found-title").textContent = text;
  }

  #counts() {
    return this.results.count ? counted(texts.results, this.results.count) : texts.none;
  }

  #count() {
    const { answer, asked } = this.shown;
    const shown = this.results.isShown ? `${this.#counts()}, ${texts.nearestFirst}.` : "";
    this.note([shown, widened(answer, asked.category)].filter(Boolean).join(" "));
  }
}

export const limits = { limit: Math.floor(page.maxBytes / 2 ** 20) };

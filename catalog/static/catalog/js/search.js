// The shopper's page, run from here: a photo comes in, answers come back, and the address bar keeps up.
//
//     intake -> photo -> api -> show (stage, chips, results, strip) -> history
//
// Every question has a turn. An answer whose turn is over is dropped, so what is shown always belongs to the last tap.

import { appliedCategory, headline, scope, trouble, widened } from "./answer.js";
import * as api from "./api.js";
import { Chips } from "./chips.js";
import { listen } from "./intake.js";
import { localizePrices } from "./money.js";
import { byId, counted, fill, icon, page, texts } from "./page.js";
import { PhotoError, prepare } from "./photo.js";
import { Results } from "./results.js";
import { offerLink } from "./share.js";
import { keep, photoOf } from "./shelf.js";
import { Stage } from "./stage.js";
import { Strip } from "./strip.js";

const SETTLE_MS = 200; // a dragged box is searched when it has rested this long
const SLOW_MS = 4000; // then the page says that it is still looking
const PATIENT_MS = 150; // a photo that decodes faster needs no placeholder

const state = { photo: null, answer: null, choice: null };
const answers = new Map(); // search id -> {answer, photo, choice}: for Back, without asking again
let turn = 0;
let asking = null;
let settling = null;
let lastStep = null; // what led to the answer shown: a drag is many answers and one step back

const stage = new Stage({ onRegion: tapRegion, onLive: settle, onDone: searchBox });
const results = new Results({ onMore: showMore, onFollow, onNearest: () => count(state.answer) });
const chips = new Chips({ onChoose: chooseCategory });
const strip = new Strip();

addEventListener("popstate", (event) => restore(event.state));
byId("new-photo").addEventListener("click", (event) => {
  if (event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  history.pushState(null, "", page.homeUrl);
  showStart();
  byId("choose").focus({ preventScroll: true });
});
offerLink({ onCopied: say });
localizePrices();
restore(history.state);
listen({ onPhoto: begin, onMiss: () => refuse(texts.errors.not_picture) });

function onFollow(product) {
  if (state.answer) api.clicked(state.answer.id, product);
}

/** A new photo: show it as soon as it is decoded, then search it. */
async function begin(file) {
  const own = ++turn;
  asking?.abort();
  clearTimeout(settling);
  const waiting = setTimeout(() => showWaiting(null), PATIENT_MS);
  let photo;
  try {
    photo = await prepare(file);
  } catch (error) {
    if (!(error instanceof PhotoError)) throw error;
    return own === turn ? reject(error) : undefined;
  } finally {
    clearTimeout(waiting);
  }
  if (own !== turn) return undefined;
  state.photo = photo;
  state.answer = null;
  state.choice = null;
  showWaiting(photo);
  byId("main").focus({ preventScroll: true }); // what was pressed is gone; the next Tab leads to the photo
  say(texts.dropped);
  return ask({}, { step: "photo" });
}

/** The page of a search whose answer is on its way, with the photo or while that is being decoded. */
function showWaiting(photo) {
  showWork();
  byId("work").classList.remove("is-photoless");
  scrollTo({ top: 0 });
  stage.open(photo);
  chips.clear();
  strip.hide();
  byId("share").hidden = true; // there is no link yet
  title(texts.searching);
  note("");
  results.wait();
}

/** A file that is no photo: back to what was shown, and say why. */
async function reject(error) {
  if (!state.answer) showStart();
  else show(state.answer);
  const [headline, advice] = texts.errors[error.kind];
  refuse([headline, fill(advice, { limit: Math.floor(page.maxBytes / 2 ** 20) })]);
}

function tapRegion(region) {
  state.choice = null; // each product has a category of its own
  stage.select(region.box);
  stage.mark(region.id);
  ask({ box: region.box }, { step: "region" });
}

function settle(box) {
  clearTimeout(settling);
  settling = setTimeout(() => searchBox(box), SETTLE_MS);
}

function searchBox(box) {
  clearTimeout(settling);
  stage.select(box);
  ask({ box, category: state.choice }, { step: "box" });
}

function chooseCategory(slug) {
  state.choice = slug;
  chips.press(slug);
  ask({ box: state.answer?.selected.box, category: slug }, { step: "category" });
}

/** Asks one question about the photo and shows its answer, unless another was asked since. */
async function ask(question, { step }) {
  const own = ++turn;
  asking?.abort();
  asking = new AbortController();
  const slow = setTimeout(() => note(texts.slow), SLOW_MS);
  results.busy(true);
  try {
    const answer = await api.search(state.photo.blob, question, asking.signal);
    if (own !== turn) return;
    show(answer);
    remember(answer, step);
  } catch (error) {
    if (own !== turn) return;
    if (!(error instanceof api.ApiError)) throw error;
    fail(error, () => ask(question, { step }));
  } finally {
    clearTimeout(slow);
  }
}

async function showMore() {
  const { answer } = state;
  const own = ++turn;
  results.busy(true);
  try {
    const question = { box: answer.selected.box, category: appliedCategory(answer), offset: results.count };
    const next = await api.search(state.photo.blob, question);
    if (own !== turn) return;
    const added = results.add(next);
    count(answer);
    say(added ? counted(texts.results, results.count) : texts.allShown);
  } catch (error) {
    if (own !== turn) return;
    if (!(error instanceof api.ApiError)) throw error;
    results.fail(trouble(error), [{ label: texts.tryAgain, act: retryMore }], { keeps: true });
  }
}

function retryMore() {
  results.notices.replaceChildren();
  showMore();
}

function show(answer) {
  state.answer = answer;
  showWork();
  byId("work").classList.toggle("is-photoless", !answer.image); // asked in words, or with a product
  const canSearch = Boolean(state.photo);
  stage.show(answer, state.photo);
  chips.show(answer, { canChoose: canSearch });
  results.show(answer);
  if (!canSearch) results.moreRow.hidden = true;
  byId("share").hidden = false;
  title(headline(answer));
  count(answer);
  document.title = `${scope(answer)} · Shop Search`;
  say(`${headline(answer)}. ${fill(texts.resultsIn, { results: counts(answer), category: scope(answer) })}`);
  strip.show(answer, { what: scope(answer), count: counts(answer) });
}

function counts() {
  return results.count ? counted(texts.results, results.count) : texts.none;
}

function count(answer) {
  const shown = results.isShown ? `${counts()}, ${texts.nearestFirst}.` : "";
  note([shown, widened(answer, state.choice)].filter(Boolean).join(" "));
}

function remember(answer, step) {
  const entry = { search: answer.id, photo: state.photo.id, choice: state.choice };
  answers.set(answer.id, { answer, photo: state.photo, choice: state.choice });
  const address = page.sharedUrl.replace("00000000-0000-0000-0000-000000000000", answer.id);
  if (step === "box" && lastStep === "box") history.replaceState(entry, "", address);
  else history.pushState(entry, "", address);
  lastStep = step;
  keep(answer.id, state.photo);
}

/** Shows what the address bar says: after Back, Forward, a reload, or from a shared link. */
async function restore(entry) {
  const own = ++turn;
  asking?.abort();
  clearTimeout(settling);
  lastStep = null;
  const id = entry?.search ?? location.pathname.match(/\/s\/([0-9a-f-]{36})$/)?.[1];
  if (!id) return showStart({ keepsError: entry === null });
  const known = answers.get(id);
  if (known) {
    state.photo = known.photo;
    state.choice = known.choice;
    return show(known.answer);
  }
  if (byId("start").hidden === false && byId("start-error").childElementCount) return undefined; // the server said no
  const [answer, kept] = await Promise.all([api.recall(id).catch((error) => error), photoOf(id)]);
  if (own !== turn) return undefined;
  if (answer instanceof Error) return failToRestore(answer);
  const isOpen = kept && state.photo?.id === kept.id;
  state.photo = isOpen ? state.photo : kept && (await prepare(kept.blob, kept.id).catch(() => null));
  if (own !== turn) return undefined;
  state.choice = entry?.choice ?? null;
  show(answer);
  answers.set(id, { answer, photo: state.photo, choice: state.choice });
  return undefined;
}

function failToRestore(error) {
  if (!(error instanceof api.ApiError)) throw error;
  showStart();
  refuse(trouble(error));
}

function showStart({ keepsError = false } = {}) {
  turn += 1;
  asking?.abort();
  state.photo = null;
  state.answer = null;
  byId("start").hidden = false;
  byId("work").hidden = true;
  byId("top-actions").hidden = true;
  if (!keepsError) byId("start-error").replaceChildren();
  strip.hide();
  document.title = byId("start-title").textContent + " · Shop Search";
}

function showWork() {
  byId("start").hidden = true;
  byId("work").hidden = false;
  byId("top-actions").hidden = false;
  byId("start-error").replaceChildren();
}

/** A failed question: a photo that can't be read leads back to the start, all else can be tried again. */
function fail(error, retry) {
  if (!state.answer && !error.isPassing) {
    showStart();
    return refuse(trouble(error));
  }
  const actions = [
    { label: texts.tryAgain, act: retry },
    { label: texts.choosePhoto, icon: "photo", act: () => byId("choose").click() },
  ];
  if (!error.isPassing) actions.shift();
  const [words, advice] = trouble(error);
  title(words);
  note("");
  chips.clear();
  say(`${words}. ${advice}`);
  return results.fail(["", advice], actions);
}

/** A file that can't be searched with: said where the shopper is, and nothing shown is lost. */
function refuse([headline, advice]) {
  if (byId("start").hidden) return results.fail([headline, advice], [], { keeps: true });
  const message = document.createElement("p");
  message.className = "start-error";
  const words = document.createElement("span");
  const strong = document.createElement("strong");
  strong.textContent = `${headline}.`;
  words.append(strong, ` ${advice}`);
  message.append(icon("alert"), words);
  byId("start-error").replaceChildren(message);
  return undefined;
}

function title(text) {
  byId("found-title").textContent = text;
}

function note(text) {
  byId("found-note").textContent = text;
}

/** Says it to screen readers; the same words twice would be heard once. */
function say(text) {
  const said = byId("said");
  said.textContent = said.textContent === text ? `${text}\u00a0` : text;
}

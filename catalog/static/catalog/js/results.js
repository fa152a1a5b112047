// The products found, in groups by how close they are; skeletons before, and what stands in their place.

import { reason } from "./answer.js";
import { LIMIT } from "./api.js";
import { card, skeleton } from "./card.js";
import { notice } from "./notice.js";
import { byId, counted, texts } from "./page.js";
import { waysOn } from "./ways.js";

const SKELETONS = 8;
const FAR = "nothing_close";
const GROUPS = { same_photo: "same_product" }; // a card's own badge tells these two apart

export class Results {
  /**
   * Calls `onMore()` for more of the same, `onFollow(productId)` when a result is followed, and `onNearest()` when the
   * shopper asks for what is not close.
   */
  constructor({ onMore, onFollow, onNearest, ...calls }) {
    this.onNearest = onNearest;
    this.calls = calls;
    this.root = byId("found");
    this.grid = byId("grid");
    this.notices = byId("notices");
    this.moreRow = byId("more-row");
    this.more = byId("more");
    this.found = [];
    this.showsFar = false;
    this.more.addEventListener("click", onMore);
    const follow = (event) => {
      const one = event.target.closest("a") && event.target.closest(".card");
      if (one?.dataset.product) onFollow(Number(one.dataset.product));
    };
    this.grid.addEventListener("click", follow);
    this.grid.addEventListener("auxclick", follow);
  }

  /** How many products came, those that are not shown among them. */
  get total() {
    return this.found.length;
  }

  get count() {
    return this.showsFar ? this.total : this.found.filter((result) => result.band !== FAR).length;
  }

  get isShown() {
    return !this.grid.hidden && this.count > 0;
  }

  /** Empty cards while the first answer is on its way. */
  wait() {
    this.notices.replaceChildren();
    this.moreRow.hidden = true;
    this.grid.hidden = false;
    const row = document.createElement("div");
    row.className = "grid";
    row.append(...Array.from({ length: SKELETONS }, skeleton));
    this.grid.replaceChildren(row);
    this.busy(true);
  }

  /** Dims what is shown while something newer is looked for. */
  busy(isBusy) {
    this.root.setAttribute("aria-busy", String(isBusy));
    this.more.disabled = isBusy;
  }

  show(answer, asked) {
    this.busy(false);
    this.notices.replaceChildren();
    const isFar = answer.band === FAR;
    this.found = answer.results.map((result) => (isFar ? { ...result, band: FAR } : result));
    this.isLast = answer.results.length < LIMIT;
    this.showsFar = false;
    this.grid.replaceChildren();
    for (const result of this.found) this.#put(result);
    this.#arrange();
    if (!isFar) return;
    const nearest = { label: texts.showNearest, act: (button) => this.#showFar(button) };
    const ways = [...waysOn(answer, asked, this.calls), ...(this.total ? [nearest] : [])];
    this.notices.append(notice("calm", "", reason(answer)[1], ways));
  }

  /** Makes room for another view of the answer. */
  hide() {
    this.notices.replaceChildren();
    this.grid.hidden = true;
    this.moreRow.hidden = true;
  }

  /** Adds the next page and returns how many products it had. */
  add(answer) {
    this.busy(false);
    const isFocused = document.activeElement === this.more;
    const cards = answer.results.map((result) => this.#put(result));
    this.found.push(...answer.results);
    this.isLast = answer.results.length < LIMIT;
    this.#arrange();
    if (isFocused && this.moreRow.hidden) cards[0]?.querySelector("a").focus({ preventScroll: true });
    return cards.length;
  }

  /** Says what went wrong, with ways on: [{label, icon, act}]. The products shown before stay if `keeps`. */
  fail([headline, advice], actions, { keeps = false } = {}) {
    this.busy(false);
    this.grid.hidden = !keeps;
    if (!keeps) {
      this.found = [];
      this.grid.replaceChildren();
      this.moreRow.hidden = true;
    }
    this.notices.replaceChildren(notice("error", headline, advice, actions));
  }

  #showFar(button) {
    this.showsFar = true;
    button.remove();
    this.#arrange();
    this.grid.querySelector(`[data-band="${FAR}"] a`)?.focus({ preventScroll: true });
    this.onNearest();
  }

  /** Puts a card under its band's heading; bands come in falling order, so a new one goes last. */
  #put(result) {
    const name = GROUPS[result.band] ?? result.band;
    let group = this.grid.querySelector(`[data-band="${name}"]`);
    if (!group) {
      group = document.createElement("section");
      group.className = "band";
      group.dataset.band = name;
      const heading = document.createElement("h3");
      heading.className = "band-title";
      heading.textContent = texts.groups[name];
      const row = document.createElement("div");
      row.className = "grid";
      group.append(heading, row);
      this.grid.append(group);
    }
    const made = card(result);
    group.lastElementChild.append(made);
    return made;
  }

  /** Shows the groups that are close, headings where there are several, and the rest behind one tap. */
  #arrange() {
    const groups = [...this.grid.children].filter((group) => group.dataset.band);
    const far = groups.find((group) => group.dataset.band === FAR);
    const isMixed = groups.length > 1;
    if (far) far.hidden = !this.showsFar;
    for (const group of groups) group.firstElementChild.classList.toggle("visually-hidden", !isMixed);
    this.grid.querySelector(".further")?.remove();
    this.grid.hidden = !this.count;
    this.moreRow.hidden = this.isLast || (Boolean(far) && !this.showsFar);
    if (far && isMixed && !this.showsFar) this.grid.append(this.#further(this.total - this.count));
  }

  #further(count) {
    const row = document.createElement("p");
    row.className = "further";
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button";
    button.textContent = counted(texts.further, count);
    button.addEventListener("click", () => this.#showFar(button));
    row.append(button);
    return row;
  }
}

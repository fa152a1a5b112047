// The products found: cards, skeletons while they are looked for, and what stands in their place.

import { reason } from "./answer.js";
import { LIMIT } from "./api.js";
import { money } from "./money.js";
import { byId, copyOf, icon, page, texts } from "./page.js";

const SKELETONS = 8;

export class Results {
  /**
   * Calls `onMore()` for more of the same, `onFollow(productId)` when a result is followed, and `onNearest()` when the
   * shopper asks for what is not close.
   */
  constructor({ onMore, onFollow, onNearest }) {
    this.onNearest = onNearest;
    this.root = byId("found");
    this.grid = byId("grid");
    this.notices = byId("notices");
    this.moreRow = byId("more-row");
    this.more = byId("more");
    this.more.addEventListener("click", onMore);
    const follow = (event) => {
      const card = event.target.closest("a") && event.target.closest(".card");
      if (card?.dataset.product) onFollow(Number(card.dataset.product));
    };
    this.grid.addEventListener("click", follow);
    this.grid.addEventListener("auxclick", follow);
  }

  get count() {
    return this.grid.querySelectorAll(".card").length;
  }

  get isShown() {
    return !this.grid.hidden && this.count > 0;
  }

  /** Empty cards while the first answer for a photo is on its way. */
  wait() {
    this.notices.replaceChildren();
    this.moreRow.hidden = true;
    this.grid.hidden = false;
    this.grid.replaceChildren(...Array.from({ length: SKELETONS }, skeleton));
    this.busy(true);
  }

  /** Dims what is shown while something newer is looked for. */
  busy(isBusy) {
    this.root.setAttribute("aria-busy", String(isBusy));
    this.more.disabled = isBusy;
  }

  show(answer) {
    this.busy(false);
    this.notices.replaceChildren();
    this.grid.hidden = false;
    this.grid.replaceChildren(...answer.results.map(card));
    this.moreRow.hidden = answer.results.length < LIMIT;
    if (answer.band === "nothing_close") this.#nothingClose(answer);
  }

  /** Adds the next page and returns how many products it had. */
  add(answer) {
    this.busy(false);
    const isFocused = document.activeElement === this.more;
    const cards = answer.results.map(card);
    this.grid.append(...cards);
    this.moreRow.hidden = cards.length < LIMIT;
    if (isFocused && this.moreRow.hidden) cards[0]?.querySelector("a").focus({ preventScroll: true });
    return cards.length;
  }

  /** Says what went wrong, with ways on: [{label, icon, act}]. The products shown before stay if `keeps`. */
  fail([headline, advice], actions, { keeps = false } = {}) {
    this.busy(false);
    this.grid.hidden = !keeps;
    if (!keeps) this.grid.replaceChildren();
    if (!keeps) this.moreRow.hidden = true;
    this.notices.replaceChildren(notice("error", headline, advice, actions));
  }

  #nothingClose(answer) {
    const [, advice] = reason(answer);
    const actions = [];
    if (answer.results.length) {
      this.grid.hidden = true;
      const isLonger = !this.moreRow.hidden;
      this.moreRow.hidden = true;
      actions.push({
        label: texts.showNearest,
        act: (button) => {
          this.grid.hidden = false;
          this.moreRow.hidden = !isLonger;
          this.grid.querySelector("a")?.focus({ preventScroll: true });
          button.remove();
          this.onNearest();
        },
      });
    }
    this.notices.replaceChildren(notice("calm", "", advice, actions));
  }
}

function card(result) {
  const { product } = result;
  const { root, parts } = copyOf("card");
  root.dataset.product = product.id;
  parts.title.href = page.productUrl.replace("/0/", `/${product.id}/`);
  parts.title.textContent = product.title;
  if (product.image) {
    parts.picture.src = thumb(product.image);
    parts.picture.hidden = false;
  }
  const badge = texts.bands[result.band];
  parts.badge.textContent = badge ?? "";
  parts.badge.hidden = !badge;
  parts.price.value = product.price ?? "";
  parts.price.dataset.currency = product.currency ?? "";
  parts.price.textContent = money(product.price, product.currency);
  parts["sold-out"].hidden = product.in_stock;
  parts.merchant.textContent = product.merchant.name;
  if (/^https?:\/\//.test(product.url)) {
    parts.out.href = product.url;
    parts.out.hidden = false;
    parts["out-label"].textContent = texts.inShop.replace("{title}", product.title);
  }
  return root;
}

/** A small copy of the picture, where this site serves it itself. */
function thumb(address) {
  const url = new URL(address, location.href);
  if (url.origin === location.origin && url.pathname.startsWith(page.mediaUrl)) url.searchParams.set("w", page.thumbPx);
  return url.href;
}

function skeleton() {
  const root = document.createElement("div");
  root.className = "skeleton";
  root.setAttribute("aria-hidden", "true");
  for (const part of ["tile", "line", "line short"]) {
    const element = document.createElement("span");
    element.className = part
      .split(" ")
      .map((name) => `skeleton-${name}`)
      .join(" ");
    root.append(element);
  }
  return root;
}

function notice(tone, headline, advice, actions) {
  const { root, parts } = copyOf("notice");
  root.dataset.tone = tone;
  if (tone === "error") root.setAttribute("role", "alert");
  parts.icon.setAttribute("href", tone === "error" ? "#i-alert" : "#i-compass");
  parts.headline.textContent = headline;
  parts.headline.hidden = !headline; // said above the grid already
  parts.advice.textContent = advice;
  for (const action of actions) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = parts.actions.children.length ? "button" : "button strong";
    if (action.icon) button.append(icon(action.icon));
    button.append(action.label);
    button.addEventListener("click", () => action.act(button));
    parts.actions.append(button);
  }
  return root;
}

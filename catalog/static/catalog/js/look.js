// The whole look: a row of results for each product in the photo, beside the view of one of them.

import { card } from "./card.js";
import { byId, categoryName, counted, fill, icon, texts } from "./page.js";

const FAR = "nothing_close";

export class Look {
  /** Calls `onRegion(region)` for all of one row, `onOutfit(isWhole)` when the shopper changes between the views. */
  constructor({ onRegion, onOutfit }) {
    this.root = byId("look-rows");
    this.views = byId("views");
    this.onRegion = onRegion;
    for (const button of this.views.querySelectorAll("button")) {
      button.addEventListener("click", () => onOutfit(button.dataset.view === "outfit"));
    }
  }

  /** Whether an answer is shown as rows. */
  static isOf(answer, asked) {
    return asked.outfit && Boolean(answer.outfit?.length);
  }

  clear() {
    this.views.hidden = true;
    this.root.hidden = true;
    this.root.replaceChildren();
  }

  show(answer, asked, { canSearch }) {
    const isWhole = Look.isOf(answer, asked);
    this.views.hidden = answer.regions.length < 2 || !canSearch;
    for (const button of this.views.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String((button.dataset.view === "outfit") === isWhole));
    }
    this.root.hidden = !isWhole;
    this.root.replaceChildren(...(isWhole ? answer.outfit.map((row) => this.#row(row, answer, canSearch)) : []));
  }

  #row(row, answer, canSearch) {
    const region = answer.regions.find(({ id }) => id === row.region);
    const section = document.createElement("section");
    section.className = "look-row";
    section.dataset.region = row.region;
    const number = answer.regions.indexOf(region) + 1;
    section.append(this.#head(row, region, number, canSearch));
    const cards = document.createElement("div");
    cards.className = "look-cards";
    cards.append(...row.results.map(card));
    if (!row.results.length) section.append(said(texts.lookNone));
    else if (row.band !== FAR) section.append(cards);
    else section.append(said(texts.lookFar), nearest(cards));
    return section;
  }

  #head(row, region, number, canSearch) {
    const head = document.createElement("div");
    head.className = "look-head";
    const dot = document.createElement("span");
    dot.className = "look-number";
    dot.setAttribute("aria-hidden", "true");
    dot.textContent = number;
    const name = categoryName(row.category.slug);
    const title = document.createElement("h3");
    title.textContent = name;
    const band = document.createElement("span");
    band.className = "look-band";
    band.textContent = row.band === FAR ? "" : texts.groups[row.band];
    head.append(dot, title, band);
    if (region && canSearch) {
      const all = document.createElement("button");
      all.type = "button";
      all.className = "button quiet look-all";
      all.setAttribute("aria-label", fill(texts.lookAllOf, { category: name }));
      all.append(texts.lookAll, icon("next"));
      all.addEventListener("click", () => this.onRegion(region));
      head.append(all);
    }
    return head;
  }
}

export const lookCount = (answer) => counted(texts.lookItems, answer.outfit.length);

function said(text) {
  const words = document.createElement("p");
  words.className = "look-said";
  words.textContent = text;
  return words;
}

/** What comes nearest, behind one tap. */
function nearest(cards) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button";
  button.textContent = texts.showNearest;
  button.addEventListener("click", () => {
    button.replaceWith(cards);
    cards.querySelector("a").focus({ preventScroll: true });
  });
  return button;
}

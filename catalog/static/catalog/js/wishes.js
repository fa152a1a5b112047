// What the shopper insists on, as chips that come off: wishes read from her words, filters, and what she liked.

import { money } from "./money.js";
import { byId, counted, fill, icon, labelOf, texts } from "./page.js";
import { LISTS, without, withoutWish } from "./question.js";
import { cleared } from "./ways.js";

export class Wishes {
  /** Calls `onChange(changes)` with the parts of the question that a tap changes. */
  constructor({ onChange }) {
    this.root = byId("wishes");
    this.onChange = onChange;
  }

  clear() {
    this.root.replaceChildren();
    this.root.hidden = true;
  }

  show(answer, asked, { canChange }) {
    const currency = answer.facets?.price?.currency ?? answer.results[0]?.product.currency;
    const found = [...wished(answer, asked), ...filtered(asked, currency), ...tasted(asked)];
    const chips = found.map((one) => this.#chip(one, canChange));
    if (canChange && chips.length > 1) chips.push(this.#clearAll(answer, asked));
    this.root.replaceChildren(...chips.map(listed));
    this.root.hidden = !chips.length;
  }

  #chip({ label, changes, color }, canChange) {
    const chip = document.createElement(canChange ? "button" : "span");
    chip.className = "wish";
    if (color) chip.dataset.color = color;
    chip.append(label);
    if (!canChange) return chip;
    chip.type = "button";
    chip.setAttribute("aria-label", fill(texts.removeWish, { wish: label }));
    chip.append(icon("close"));
    chip.addEventListener("click", () => this.#change(changes));
    return chip;
  }

  #clearAll(answer, asked) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button quiet wish-clear";
    button.textContent = texts.clearAll;
    button.addEventListener("click", () => this.#change(cleared(answer, asked)));
    return button;
  }

  #change(changes) {
    byId("found-title").focus({ preventScroll: true }); // the chip is gone with the next answer
    this.onChange(changes);
  }
}

function wished(answer, asked) {
  const wishes = answer.wishes ?? [];
  return wishes.map((wish) => ({ label: wish.label || wish.value, changes: { q: withoutWish(asked.q, wish) } }));
}

function filtered(asked, currency) {
  const found = LISTS.flatMap((name) =>
    asked[name].map((value) => ({ label: labelOf(name, value), changes: { [name]: without(asked[name], value) } })),
  );
  const { price_min: low, price_max: high } = asked;
  if (low !== "" || high !== "") {
    const sentence = low === "" ? texts.priceTo : high === "" ? texts.priceFrom : texts.priceBetween;
    const label = fill(sentence, { low: money(low, currency), high: money(high, currency) });
    found.push({ label, changes: { price_min: "", price_max: "" } });
  }
  if (asked.in_stock) found.push({ label: texts.inStock, changes: { in_stock: false } });
  return found;
}

function tasted(asked) {
  return ["like", "dislike"]
    .filter((name) => asked[name].length)
    .map((name) => ({ label: counted(texts[`${name}d`], asked[name].length), changes: { [name]: [] } }));
}

function listed(element) {
  const item = document.createElement("li");
  item.append(element);
  return item;
}


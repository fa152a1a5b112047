// The fields of the filters: choices with counts and color swatches, and a range of prices.

import { counted, page, texts } from "./page.js";

const FEW = 8; // more stand behind one tap

/** A group of choices; `options` are [{value, label, count, isChosen}]. */
export function group(name, type, options) {
  const fieldset = framed(name);
  const list = document.createElement("div");
  list.className = "options";
  const rows = options.map((option) => choice(name, type, option));
  list.append(...rows);
  const hidden = rows.slice(FEW).filter((row) => !row.firstElementChild.checked);
  if (hidden.length > 1) {
    for (const row of hidden) row.hidden = true;
    const more = document.createElement("button");
    more.type = "button";
    more.className = "options-more";
    more.textContent = counted(texts.showAllValues, options.length);
    more.addEventListener("click", () => {
      for (const row of hidden) row.hidden = false;
      hidden[0].firstElementChild.focus();
      more.remove();
    });
    list.append(more);
  }
  fieldset.append(list);
  return fieldset;
}

/** Two fields for the lowest and the highest price. */
export function prices({ min, max, currency }, [low, high]) {
  const fieldset = framed("price", currency);
  const row = document.createElement("div");
  row.className = "prices";
  row.append(price("price_min", texts.from, low, Math.floor(min)), price("price_max", texts.to, high, Math.ceil(max)));
  fieldset.append(row);
  return fieldset;
}

function framed(name, unit = "") {
  const fieldset = document.createElement("fieldset");
  fieldset.className = "facet";
  fieldset.dataset.facet = name;
  const legend = document.createElement("legend");
  legend.textContent = unit ? `${texts.facets[name]} (${unit})` : texts.facets[name];
  fieldset.append(legend);
  return fieldset;
}

function choice(name, type, { value, label, count, isChosen }) {
  const row = document.createElement("label");
  row.className = "option";
  const input = document.createElement("input");
  Object.assign(input, { type, name, value, checked: isChosen });
  const words = document.createElement("span");
  words.textContent = label;
  row.append(input);
  if (name === "color") row.append(...swatch(value));
  row.append(words);
  if (count !== undefined) {
    const number = document.createElement("span");
    number.className = "option-count";
    number.textContent = count;
    row.append(" ", number);
  }
  return row;
}

function price(name, label, value, bound) {
  const frame = document.createElement("label");
  const input = document.createElement("input");
  Object.assign(input, { type: "number", name, value, min: 0, step: "any", inputMode: "decimal", placeholder: bound });
  frame.append(`${label} `, input);
  return frame;
}

/** A dot in the color, where its name is known. */
export function swatch(name) {
  const hex = name.startsWith("#") ? name : page.swatches[name];
  if (!hex && name !== "multicolor") return [];
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("class", "swatch");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("aria-hidden", "true");
  const shape = document.createElementNS(space, hex ? "circle" : "use");
  const looks = hex ? { cx: 10, cy: 10, r: 9, fill: hex } : { href: "#i-multicolor" };
  for (const [attribute, value] of Object.entries(looks)) shape.setAttribute(attribute, value);
  svg.append(shape);
  return [svg];
}

/** Puts the fields in place without losing the one that is being used. */
export function replaceFields(root, fields) {
  const { name, value } = root.contains(document.activeElement) ? document.activeElement : {};
  root.replaceChildren(...fields);
  const same = [...root.querySelectorAll("input")].filter((input) => input.name === name);
  (same.find((input) => input.value === value) ?? same[0])?.focus({ preventScroll: true });
}

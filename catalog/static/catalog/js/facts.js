// What is known of the picture: size, format, colors, credit, and whose it likely is.

import { swatch } from "./options.js";
import { byId, fill, labelOf, percent, texts } from "./page.js";

export class Facts {
  constructor() {
    this.root = byId("facts");
    this.list = byId("facts-list");
  }

  clear() {
    this.root.hidden = true;
  }

  /** Shows an answer's facts. A photo made smaller here is shown with the size it had. */
  show({ facts }, photo) {
    this.root.hidden = !facts;
    if (!facts) return;
    const wasLarger = photo?.width > facts.width;
    const size = fill(texts.size, wasLarger ? photo : facts);
    const rows = [
      [texts.facts.size, [wasLarger ? size : [size, facts.format].filter(Boolean).join(" · ")]],
      [texts.facts.colors, facts.colors.map(color)],
      [texts.facts.credit, facts.credit ? [facts.credit] : []],
      [texts.facts.brand, facts.brand ? [fill(texts.likely, { name: facts.brand })] : []],
      [texts.facts.seller, facts.seller ? [fill(texts.likely, { name: facts.seller })] : []],
    ];
    this.list.replaceChildren(...rows.filter(([, values]) => values.length).map(row));
  }
}

function row([name, values]) {
  const frame = document.createElement("div");
  const term = document.createElement("dt");
  term.textContent = name;
  const what = document.createElement("dd");
  what.append(...values);
  frame.append(term, what);
  return frame;
}

function color({ name, hex, share }) {
  const chip = document.createElement("span");
  chip.className = "fact-color";
  chip.append(...swatch(hex), `${labelOf("color", name)} ${percent(share)}`);
  return chip;
}

// The category the answer was narrowed to, how sure that is, and the way to another one or to everything.

import { byId, categoryName, page, percent, texts } from "./page.js";

const LIKELY = 0.1; // a category that is less so is no choice worth showing

export class Chips {
  /** Calls `onChoose(slug)`; the slug of everything is the page's own word for it. */
  constructor({ onChoose }) {
    this.root = byId("chips");
    this.onChoose = onChoose;
  }

  clear() {
    this.root.replaceChildren();
  }

  /** Shows an answer's category. `canChoose` is false where there is no photo to search again with. */
  show(answer, { canChoose }) {
    const focused = document.activeElement?.closest?.("#chips") ? document.activeElement.dataset.category : undefined;
    const { category, category_applied: isApplied } = answer.selected;
    const active = isApplied && category ? category.slug : page.everything;
    const likely = (category?.scores ?? []).filter(({ confidence }) => confidence >= LIKELY).map(({ slug }) => slug);
    const seen = [category?.slug, ...likely, ...answer.regions.map((region) => region.category)];
    const near = [...new Set(seen.filter((slug) => slug && (slug in page.categories || slug === category?.slug)))];
    const chips = near.map((slug) => this.#chip(slug, categoryName(slug), slug === active, canChoose));
    if (category && category.source !== "user") chips[0].append(sureness(category.confidence));
    chips.push(this.#chip(page.everything, texts.everything, active === page.everything, canChoose));
    const others = Object.keys(page.categories).filter((slug) => !near.includes(slug));
    if (canChoose && others.length) chips.push(this.#others(others));
    this.root.replaceChildren(...chips);
    if (focused !== undefined) {
      (chips.find((chip) => chip.dataset.category === focused) ?? chips[0]).focus({ preventScroll: true });
    }
  }

  /** Shows the choice before its answer has come. */
  press(slug) {
    for (const chip of this.root.querySelectorAll(".chip[data-category]")) {
      if (chip.hasAttribute("aria-pressed")) chip.setAttribute("aria-pressed", String(chip.dataset.category === slug));
    }
  }

  #chip(slug, name, isActive, canChoose) {
    const chip = document.createElement("button");
    chip.type = "button";
    chip.className = "chip";
    chip.dataset.category = slug;
    chip.disabled = !canChoose;
    chip.setAttribute("aria-pressed", String(isActive));
    chip.append(name);
    chip.addEventListener("click", () => this.onChoose(slug));
    return chip;
  }

  #others(slugs) {
    const select = document.createElement("select");
    select.className = "chip chip-others";
    select.dataset.category = "";
    select.setAttribute("aria-label", texts.otherCategory);
    select.append(new Option(texts.other, ""));
    for (const slug of slugs) select.append(new Option(categoryName(slug), slug));
    select.addEventListener("change", () => select.value && this.onChoose(select.value));
    return select;
  }
}

function sureness(confidence) {
  const element = document.createElement("span");
  element.className = "chip-sure";
  element.textContent = texts.sure.replace("{percent}", percent(confidence));
  return element;
}

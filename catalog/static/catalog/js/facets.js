// What the search can be narrowed by: shown with counts, asked again at each change.
//
// A filter can also come from the words ("under 50"). Both are shown as one; a change in the panel takes that part out
// of the words and makes it a filter of its own.

import { byId, categoryName, counted, labelOf, page, texts } from "./page.js";
import { group, prices, replaceFields } from "./options.js";
import { filterCount, LISTS, unfiltered, withoutWish } from "./question.js";
import { Sheet } from "./sheet.js";

const ORDER = ["category", "article_type", "color", "pattern", "price", "brand", "gender", "merchant", "in_stock"];

export class Facets {
  /** Calls `onChange(changes)` with the parts of the question that a choice changes. */
  constructor({ onChange }) {
    this.form = byId("filters");
    this.fields = byId("facets");
    this.opener = byId("filters-open");
    this.sheet = new Sheet();
    this.orders = new Map(); // field -> its values as first shown, so that nothing moves away from under the pointer
    this.form.addEventListener("change", (event) => onChange(this.#change(event.target)));
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.sheet.close();
    });
    byId("filters-clear").addEventListener("click", () =>
      onChange({ ...unfiltered, q: this.#wordsWithout(ORDER.slice(1)) }),
    );
  }

  clear() {
    this.orders.clear();
    this.opener.hidden = true;
    this.sheet.close();
  }

  /** Shows an answer's facets; `count` is how many products it found. */
  show(answer, asked, { canChange, count }) {
    this.answer = answer;
    this.asked = asked;
    const { facets } = answer;
    const on = filterCount(asked) + this.#wished().length;
    const canFilter = Boolean(facets) && canChange && (on > 0 || hasChoice(facets));
    this.opener.hidden = !canFilter;
    if (!canFilter) return this.sheet.close();
    replaceFields(this.fields, ORDER.map((name) => this.#field(name, facets)).filter(Boolean));
    byId("filters-label").textContent = on ? counted(texts.filtersOn, on) : texts.filters;
    byId("filters-clear").disabled = !on;
    byId("filters-done").textContent = counted(texts.showFound, count);
    return undefined;
  }

  #field(name, facets) {
    if (name === "price") return facets.price && prices(facets.price, this.#prices());
    if (name === "category") return this.#categories(facets.category ?? []);
    if (name === "in_stock") {
      const [count, isChosen] = [facets.in_stock?.true, this.asked.in_stock || this.#has("in_stock", "yes")];
      return group(name, "checkbox", [{ value: "true", label: texts.inStock, count, isChosen }]);
    }
    const chosen = this.#chosen(name);
    const listed = (facets[name] ?? []).map(({ value, count }) => ({
      value,
      label: labelOf(name, value),
      count,
      isChosen: chosen.has(value.toLowerCase()),
    }));
    const known = new Set(listed.map(({ value }) => value.toLowerCase()));
    for (const value of chosen) {
      if (!known.has(value)) listed.push({ value, label: labelOf(name, value), isChosen: true });
    }
    return listed.length > 1 || chosen.size ? group(name, "checkbox", this.#ordered(name, listed)) : null;
  }

  #ordered(name, listed) {
    const order = this.orders.get(name) ?? [];
    const values = listed.map(({ value }) => value);
    this.orders.set(name, [...order, ...values.filter((value) => !order.includes(value))]);
    const place = (option) => this.orders.get(name).indexOf(option.value);
    return [...listed].sort((a, b) => place(a) - place(b));
  }

  #categories(counts) {
    const { category, category_applied: isApplied } = this.answer.selected;
    const active = isApplied && category ? category.slug : page.everything;
    const listed = counts.map(({ value, count }) => {
      return { value, label: categoryName(value), count, isChosen: value === active };
    });
    if (active !== page.everything && !counts.some(({ value }) => value === active)) {
      listed.unshift({ value: active, label: categoryName(active), isChosen: true });
    }
    listed.unshift({ value: page.everything, label: texts.anyKind, isChosen: active === page.everything });
    return listed.length > 2 ? group("category", "radio", listed) : null;
  }

  /** The parts of the question that one field changes. */
  #change(input) {
    const { name } = input;
    if (name === "category") return { category: input.value, q: this.#wordsWithout(["category"]) };
    if (name === "in_stock") return { in_stock: input.checked, q: this.#wordsWithout([name]) };
    if (name.startsWith("price")) {
      const [low, high] = ["price_min", "price_max"].map((one) => this.form.elements[one].value);
      return { price_min: low, price_max: high, q: this.#wordsWithout(["price"]) };
    }
    const values = [...this.form.querySelectorAll(`input[name="${name}"]:checked`)].map((one) => one.value);
    return { [name]: values, q: this.#wordsWithout([name]) };
  }

  #wished() {
    return (this.answer.wishes ?? []).filter((wish) => ORDER.slice(1).includes(wish.kind));
  }

  #has = (kind, value) => (this.answer.wishes ?? []).some((wish) => wish.kind === kind && wish.value === value);

  #chosen(name) {
    const wished = (this.answer.wishes ?? []).filter((wish) => wish.kind === name).map((wish) => wish.value);
    return new Set([...this.asked[name], ...wished].map((value) => value.toLowerCase()));
  }

  #prices() {
    const wish = (this.answer.wishes ?? []).findLast((one) => one.kind === "price");
    const [low, high] = wish?.value.split("-") ?? ["", ""];
    return [this.asked.price_min || low, this.asked.price_max || high];
  }

  #wordsWithout(kinds) {
    const cut = (this.answer.wishes ?? []).filter((wish) => kinds.includes(wish.kind));
    return cut.sort((a, b) => b.start - a.start).reduce(withoutWish, this.asked.q);
  }
}

const hasChoice = (facets) => Boolean(facets.price) || ["category", ...LISTS].some((name) => facets[name]?.length > 1);

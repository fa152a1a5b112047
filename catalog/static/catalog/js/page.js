// What the server told this page: addresses, categories and every sentence, and how to fill a sentence in.

export const page = JSON.parse(document.getElementById("page-data").textContent);
export const texts = page.texts;

const language = document.documentElement.lang || "en";
const plurals = new Intl.PluralRules(language);
const numbers = new Intl.NumberFormat(language);
const percents = new Intl.NumberFormat(language, { style: "percent" });

export const byId = (id) => document.getElementById(id);

export const fill = (sentence, values) => sentence.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);

export const counted = (forms, count) =>
  fill(forms[plurals.select(count)] ?? forms.other, { count: numbers.format(count) });

export const percent = (share) => percents.format(share);

/** The name shoppers read; a category that nothing is sold in has only its slug to be read from. */
export function categoryName(slug) {
  return page.categories[slug] ?? slug.charAt(0).toUpperCase() + slug.slice(1).replaceAll("-", " ");
}

const labels = new Map();

/** Keeps how the shop writes the values of its facets, for chips of filters that an answer no longer lists. */
export function learn(facets) {
  for (const [name, values] of Object.entries(facets ?? {})) {
    if (!Array.isArray(values)) continue;
    for (const { value, label } of values) labels.set(`${name}:${value}`, label || value);
  }
}

/** How shoppers read a facet's value: "red" as "Red", a shop's slug as its name. */
export function labelOf(name, value) {
  const known = texts.values[name]?.[value] ?? page.merchants?.[value] ?? labels.get(`${name}:${value}`) ?? value;
  return known.charAt(0).toUpperCase() + known.slice(1);
}

/** An icon of the sprite that every page carries. */
export function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(space, "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

/** A copy of one of the page's templates, with its marked parts by name. */
export function copyOf(id) {
  const root = byId(id).content.firstElementChild.cloneNode(true);
  const parts = {};
  for (const element of root.querySelectorAll("[data-part]")) parts[element.dataset.part] = element;
  return { root, parts };
}

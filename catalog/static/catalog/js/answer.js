// What an answer amounts to, in words. Nothing here touches the page.

import { categoryName, fill, page, texts } from "./page.js";

/** The category the results were narrowed to, or the page's word for everything. */
export function appliedCategory(answer) {
  const { category, category_applied: isApplied } = answer.selected;
  return isApplied && category ? category.slug : page.everything;
}

/** What was searched in: a category's name, or everything. */
export function scope(answer) {
  const slug = appliedCategory(answer);
  return slug === page.everything ? texts.everything : categoryName(slug);
}

/** The headline over the results; where nothing is close, why. */
export function headline(answer) {
  if (answer.band !== "nothing_close") return texts.titles[answer.band];
  return reason(answer)[0];
}

/** Why nothing is close: [headline, advice]. */
export const reason = (answer) => texts.reasons[answer.reason] ?? texts.defaultReason;

/** A sentence where the category had too little and the whole shop was searched, else "". */
export function widened(answer, choice) {
  const { category, category_applied: isApplied } = answer.selected;
  if (!category || isApplied || category.source === "user" || choice === page.everything) return "";
  return fill(texts.widened, { category: categoryName(category.slug) });
}

/** What went wrong: [headline, advice], in the server's own words where it found some. */
export function trouble(error) {
  const [title, advice] = texts.errors[error.kind];
  return [title, error.kind === "search_unknown" ? advice : error.words || advice];
}

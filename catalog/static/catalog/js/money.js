// Prices in the shopper's own way of writing them.

/** Returns "€19.90", or the bare number where the currency is unknown, or "" without a price. */
export function money(price, currency) {
  if (price === null || price === undefined || price === "") return "";
  try {
    return new Intl.NumberFormat(navigator.language, { style: "currency", currency }).format(price);
  } catch (error) {
    if (!(error instanceof RangeError) && !(error instanceof TypeError)) throw error;
    return [price, currency].filter(Boolean).join(" "); // no currency, or not a code
  }
}

/** Rewrites every price that the server printed. */
export function localizePrices(root = document) {
  for (const element of root.querySelectorAll("data.price")) {
    if (element.value) element.textContent = money(element.value, element.dataset.currency);
  }
}

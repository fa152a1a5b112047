// One product found: a card filled from the API's JSON, and its skeleton.

import { money } from "./money.js";
import { copyOf, counted, fill, page, texts } from "./page.js";

/** What a dragged card carries: the product as JSON. */
export const PRODUCT = "application/x-shop-search-product";

const products = new WeakMap();

/** The product that a card shows. */
export const productOf = (root) => products.get(root);

export function card(result) {
  const { product } = result;
  const { root, parts } = copyOf("card");
  products.set(root, product);
  root.draggable = true;
  for (const act of ["more", "like", "dislike"]) {
    parts[act].setAttribute("aria-label", fill(texts.acts[act], { title: product.title }));
  }
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
  price(parts, result);
  parts["sold-out"].hidden = product.in_stock;
  if (/^https?:\/\//.test(product.url)) {
    parts.out.href = product.url;
    parts.out.hidden = false;
    parts["out-label"].textContent = fill(texts.inShop, { title: product.title });
  }
  return root;
}

/** The price and who asks it; of several sellers, how many there are and the lowest price. */
function price(parts, { product, offers }) {
  const isOne = !(offers?.count > 1);
  parts.price.value = (isOne ? product.price : offers.from) ?? "";
  parts.price.dataset.currency = (isOne ? product.currency : offers.currency) ?? "";
  parts.price.textContent = money(parts.price.value, parts.price.dataset.currency);
  parts.from.hidden = isOne || !parts.price.textContent;
  parts.merchant.textContent = isOne ? product.merchant.name : counted(texts.sellers, offers.count);
}

/** A small copy of the picture, where this site serves it itself. */
export function thumb(address) {
  const url = new URL(address, location.href);
  if (url.origin === location.origin && url.pathname.startsWith(page.mediaUrl)) url.searchParams.set("w", page.thumbPx);
  return url.href;
}

export function skeleton() {
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

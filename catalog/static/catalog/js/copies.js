// Who uses the very picture: every product with it, the largest first, and a look at both laid over each other.

import { thumb } from "./card.js";
import { money } from "./money.js";
import { Overlay } from "./overlay.js";
import { byId, copyOf, counted, fill, texts } from "./page.js";

const FEW = 3; // more stand behind one tap

export class Copies {
  constructor() {
    this.root = byId("copies");
    this.list = byId("copies-list");
    this.overlay = new Overlay();
  }

  clear() {
    this.root.hidden = true;
    this.list.replaceChildren();
  }

  /** Shows an answer's copies; they can be laid over the photo where it is in view. */
  show(answer, photo) {
    const copies = [...(answer.copies ?? [])].sort((a, b) => pixels(b) - pixels(a));
    this.root.hidden = !copies.length;
    const sellers = new Set(copies.map(({ product }) => product.merchant.slug)).size;
    byId("copies-title").textContent = counted(texts.copiesTitle, sellers);
    const rows = copies.map((copy, index) => {
      return this.#row(copy, { photo, size: answer.image, isLargest: index === 0 && copies.length > 1 });
    });
    this.list.replaceChildren(...rows);
    const hidden = rows.slice(FEW);
    if (hidden.length < 2) return;
    for (const row of hidden) row.hidden = true;
    this.list.append(this.#all(hidden, rows.length));
  }

  #row(copy, { photo, size, isLargest }) {
    const { product, image } = copy;
    const { root, parts } = copyOf("copy");
    parts.picture.src = thumb(image.url);
    parts.title.textContent = product.title;
    parts.title.href = product.url && /^https?:\/\//.test(product.url) ? product.url : image.url;
    parts.merchant.textContent = product.merchant.name;
    parts.price.textContent = money(product.price, product.currency);
    parts.size.textContent = fill(texts.size, image);
    parts.largest.hidden = !isLargest;
    parts.compare.hidden = !copy.overlay || !photo?.url;
    parts.compare.setAttribute("aria-label", fill(texts.compareWith, { title: product.title }));
    parts.compare.addEventListener("click", () => this.overlay.open(copy, photo, size));
    return root;
  }

  #all(hidden, count) {
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button quiet";
    button.textContent = counted(texts.showAllValues, count);
    button.addEventListener("click", () => {
      for (const row of hidden) row.hidden = false;
      hidden[0].querySelector("a").focus({ preventScroll: true });
      item.remove();
    });
    item.append(button);
    return item;
  }
}

const pixels = ({ image }) => image.width * image.height;

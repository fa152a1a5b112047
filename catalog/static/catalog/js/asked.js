// The product that was asked with, where the photo would be: "more like this".

import { byId, fill, page, texts } from "./page.js";

export class Asked {
  /** Calls `onPhotoAgain()` to go back to the photo. */
  constructor({ onPhotoAgain }) {
    this.root = byId("asked");
    this.stage = byId("stage");
    byId("asked-back").addEventListener("click", onPhotoAgain);
  }

  /** Shows the product in place of the photo, or the photo again when there is none. */
  show(product) {
    this.root.hidden = !product;
    this.stage.hidden = Boolean(product);
    if (!product) return;
    byId("stage-note").hidden = true;
    byId("stage-tools").hidden = true;
    const picture = byId("asked-picture");
    picture.hidden = !product.image;
    if (product.image) picture.src = product.image;
    const link = byId("asked-title");
    link.href = page.productUrl.replace("/0/", `/${product.id}/`);
    link.textContent = product.title;
    picture.alt = fill(texts.likeProduct, { title: product.title });
  }

  /** Offers the way back to a photo that is still on this page. */
  offerPhoto(isThere) {
    byId("asked-back").hidden = !isThere;
  }
}

// What a shopper does with a card beside following it: more like this, yes, no, and dragging it onto the photo.

import * as api from "./api.js";
import { PRODUCT, productOf } from "./card.js";
import { byId, texts } from "./page.js";
import { productStub } from "./past.js";
import { without } from "./question.js";

const MOST = 20; // of each, the latest; what the API takes

export class Taste {
  /** Calls `onProduct(product)` for more like it and `onChange(changes)` for what is liked or not. */
  constructor({ onProduct, onChange }) {
    this.calls = { onProduct, onChange };
    this.toast = byId("toast");
    const found = byId("found");
    found.addEventListener("click", (event) => {
      const button = event.target.closest("[data-act]");
      if (button) this.#act(button.dataset.act, productOf(button.closest(".card")));
    });
    found.addEventListener("dragstart", (event) => this.#drag(event));
    this.#listenForDrops(document.querySelector(".look"));
    byId("toast-undo").addEventListener("click", () => {
      this.hide();
      onChange({ dislike: without(this.asked.dislike, this.last.id) });
    });
    byId("toast-wrong").addEventListener("click", () => {
      api.tell(this.searchId, this.last.id, "wrong_category");
      byId("toast-words").textContent = texts.wrongNoted;
      byId("toast-wrong").hidden = true;
    });
    byId("toast-close").addEventListener("click", () => this.hide());
  }

  /** Shows on the cards what the question already says; where nothing can be asked again, only what needs no asking. */
  show(answer, asked, { canChange }) {
    this.asked = asked;
    this.answerId = answer.id;
    if (!asked.dislike.includes(this.last?.id)) this.hide();
    for (const button of byId("grid").querySelectorAll("[data-act]")) {
      const { act } = button.dataset;
      button.hidden = act !== "more" && !canChange;
      if (act === "like") this.#press(button, asked.like.includes(productOf(button.closest(".card")).id));
    }
  }

  hide() {
    this.toast.hidden = true;
  }

  #press(button, isPressed) {
    button.setAttribute("aria-pressed", String(isPressed));
  }

  #act(act, product) {
    if (act === "more") return this.calls.onProduct(product);
    const { like, dislike } = this.asked;
    const isLiked = like.includes(product.id);
    if (act === "like") {
      if (!isLiked) api.tell(this.answerId, product.id, "like");
      return this.calls.onChange({ like: isLiked ? without(like, product.id) : [...like, product.id].slice(-MOST) });
    }
    api.tell(this.answerId, product.id, "dislike");
    this.last = product;
    this.searchId = this.answerId;
    byId("toast-words").textContent = texts.lessLike;
    byId("toast-wrong").hidden = false;
    this.toast.hidden = false;
    byId("found-title").focus({ preventScroll: true }); // the card is gone with the next answer
    return this.calls.onChange({
      like: without(like, product.id),
      dislike: [...without(dislike, product.id), product.id].slice(-MOST),
    });
  }

  #drag(event) {
    const card = event.target.closest?.(".card");
    if (!card || !event.dataTransfer) return;
    event.dataTransfer.setData(PRODUCT, JSON.stringify(productStub(productOf(card))));
    event.dataTransfer.effectAllowed = "copyLink";
  }

  #listenForDrops(place) {
    const holdsProduct = (event) => event.dataTransfer?.types.includes(PRODUCT);
    place.addEventListener("dragover", (event) => {
      if (!holdsProduct(event)) return;
      event.preventDefault();
      place.classList.add("is-target");
    });
    place.addEventListener("dragleave", (event) => {
      if (!place.contains(event.relatedTarget)) place.classList.remove("is-target");
    });
    place.addEventListener("drop", (event) => {
      place.classList.remove("is-target");
      if (!holdsProduct(event)) return;
      event.preventDefault();
      this.calls.onProduct(JSON.parse(event.dataTransfer.getData(PRODUCT)));
    });
  }
}

// The words: on the start page alone or with a photo to come, beside a photo they say what should differ.

import { byId, texts } from "./page.js";

const ADDRESS = /^https?:\/\/\S+$/i;

export class Words {
  /** Calls `onWords(q)` for words and `onAddress(url)` when a picture's address was typed or pasted. */
  constructor({ onWords, onAddress }) {
    this.start = byId("start-q");
    this.input = byId("q");
    this.form = byId("words");
    this.onWords = onWords;
    this.onAddress = onAddress;
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send(this.input);
    });
    byId("words-clear").addEventListener("click", () => {
      this.input.value = "";
      this.#tidy();
      this.input.focus();
      if (this.asked?.q && this.canClear) this.onWords("");
    });
    this.input.addEventListener("input", () => this.#tidy());
  }

  /** The words typed on the start page, to go with a photo that is chosen now. */
  get typed() {
    const words = this.start.value.trim();
    return ADDRESS.test(words) ? "" : words;
  }

  /** Sends the start page's words. */
  submitStart() {
    this.#send(this.start);
  }

  show(asked) {
    this.asked = asked;
    if (document.activeElement !== this.input || this.input.value.trim() === asked.q) this.input.value = asked.q;
    this.input.placeholder = byId("work").classList.contains("is-photoless") ? texts.wordsAlone : texts.wordsBeside;
    this.start.value = "";
    this.#tidy();
  }

  get canClear() {
    return !byId("work").classList.contains("is-photoless");
  }

  #send(input) {
    const words = input.value.trim();
    if (ADDRESS.test(words)) {
      input.value = "";
      this.onAddress(words);
    } else if (words || this.canClear) this.onWords(words);
    else input.focus();
  }

  #tidy() {
    byId("words-clear").hidden = !this.input.value;
  }
}

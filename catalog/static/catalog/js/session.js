// What is searched with and what was answered.
//
// Every question has a turn. An answer whose turn is over is dropped, so what is shown always belongs to the last tap.

import { appliedCategory, trouble } from "./answer.js";
import * as api from "./api.js";
import { byId, texts } from "./page.js";
import { remember, restore } from "./past.js";
import { afresh, question } from "./question.js";

const SLOW_MS = 4000; // then the page says that it is still looking

export class Session {
  constructor(view) {
    this.view = view;
    this.turn = 0;
    this.request = null;
    this.#forget();
  }

  /** A new turn: whatever was asked before is no longer waited for. Returns its number. */
  begin() {
    this.request?.abort();
    this.turn += 1;
    return this.turn;
  }

  isOver(turn) {
    return turn !== this.turn;
  }

  /** The part of the photo that the answer shown is about. */
  get box() {
    return this.asked.product ? null : (this.answer?.selected.box ?? null);
  }

  /** Something new to search with; its answer is on its way. A product leaves the photo at hand, for the way back. */
  take({ photo = this.photo, product = null, asked = afresh() }) {
    Object.assign(this, { photo, product, answer: null, asked });
    this.wait();
  }

  wait() {
    this.view.wait({ photo: this.photo ?? undefined, product: this.product, asked: this.asked });
  }

  /** Asks the question with some of it changed, and shows its answer unless another was asked since. */
  async ask(changes, step) {
    const asked = question({ ...this.asked, ...changes });
    const own = this.begin();
    this.request = new AbortController();
    const slow = setTimeout(() => this.view.note(texts.slow), SLOW_MS);
    this.view.results.busy(true);
    try {
      const answer = await api.search(this.photo?.blob, asked, { signal: this.request.signal });
      if (this.isOver(own)) return;
      Object.assign(this, { answer, asked });
      this.show();
      remember(this.#shown(), step);
      this.view.keep(location.pathname + location.search);
    } catch (error) {
      if (this.isOver(own)) return;
      if (!(error instanceof api.ApiError)) throw error;
      this.#fail(error, () => this.ask(changes, step));
    } finally {
      clearTimeout(slow);
    }
  }

  /** Asks for more of the same. */
  async more() {
    const own = this.begin();
    this.view.results.busy(true);
    try {
      const asked = { ...this.asked, box: this.box, category: appliedCategory(this.answer), outfit: false };
      const next = await api.search(this.photo?.blob, asked, { offset: this.view.results.total });
      if (!this.isOver(own)) this.view.added(next);
    } catch (error) {
      if (this.isOver(own)) return;
      if (!(error instanceof api.ApiError)) throw error;
      const retry = () => {
        this.view.results.notices.replaceChildren();
        this.more();
      };
      this.view.results.fail(trouble(error), [{ label: texts.tryAgain, act: retry }], { keeps: true });
    }
  }

  /** Shows what the address bar says: after Back, Forward, a reload, or from a shared link. */
  async open(entry) {
    const own = this.begin();
    if (this.view.isStart && this.view.hasError && entry === null) return; // the server said no, and why
    try {
      const found = await restore(entry, this.photo);
      if (this.isOver(own)) return;
      if (!found) return void this.start({ keepsError: entry === null });
      Object.assign(this, found);
      this.show();
    } catch (error) {
      if (!(error instanceof api.ApiError)) throw error;
      if (this.isOver(own)) return;
      this.start();
      this.view.refuse(trouble(error));
    }
  }

  show() {
    this.view.show(this.#shown());
    this.view.asked.offerPhoto(Boolean(this.photo));
  }

  start(options) {
    this.#forget();
    this.view.start(options);
  }

  /** What was to be searched with is no photo: back to what was shown, and say why. */
  reject(sentence) {
    if (this.answer) this.show();
    else this.start();
    this.view.refuse(sentence);
  }

  #shown() {
    const { photo, product, answer, asked } = this;
    return { photo: asked.product ? null : photo, product, answer, asked };
  }

  #forget() {
    Object.assign(this, { photo: null, product: null, answer: null, asked: question() });
  }

  /** A failed question: a photo that can't be read leads back to the start, all else can be tried again. */
  #fail(error, retry) {
    if (!this.answer && !error.isPassing) return this.reject(trouble(error));
    const actions = [{ label: texts.choosePhoto, icon: "photo", act: () => byId("choose").click() }];
    if (error.isPassing) actions.unshift({ label: texts.tryAgain, act: retry });
    return this.view.fail(error, actions);
  }
}

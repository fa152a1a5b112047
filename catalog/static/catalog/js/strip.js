// On a phone: what is searched with, in a strip at the top while the photo itself is scrolled out of view.

import { byId } from "./page.js";

export class Strip {
  constructor() {
    this.root = byId("strip");
    this.canvas = byId("strip-crop");
    this.isReady = false;
    this.isAway = false;
    byId("strip-button").addEventListener("click", () => {
      const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
      scrollTo({ top: 0, behavior: isCalm ? "auto" : "smooth" });
      byId("main").focus({ preventScroll: true });
    });
    new IntersectionObserver(([entry]) => {
      const { bottom, height } = entry.boundingClientRect;
      this.isAway = !entry.isIntersecting && bottom <= 0 && height > 0;
      this.#update();
    }).observe(byId("stage-frame"));
  }

  hide() {
    this.isReady = false;
    this.#update();
  }

  show(answer, { what, count }) {
    byId("strip-what").textContent = what;
    byId("strip-count").textContent = count;
    this.isReady = true;
    this.#crop(answer).catch(() => {}); // the picture is an ornament here
    this.#update();
  }

  #update() {
    this.root.hidden = !(this.isReady && this.isAway);
  }

  async #crop(answer) {
    const image = byId("photo");
    const { box } = answer.selected;
    this.canvas.hidden = image.hidden || !box;
    if (this.canvas.hidden) return;
    await image.decode();
    const scale = image.naturalWidth / answer.image.width;
    const [x1, y1, x2, y2] = box.map((value) => value * scale);
    const side = Math.max(x2 - x1, y2 - y1);
    const { width } = this.canvas;
    const ratio = width / side;
    const context = this.canvas.getContext("2d");
    context.clearRect(0, 0, width, width);
    context.imageSmoothingQuality = "high";
    const left = (width - (x2 - x1) * ratio) / 2;
    const top = (width - (y2 - y1) * ratio) / 2;
    context.drawImage(image, x1, y1, x2 - x1, y2 - y1, left, top, (x2 - x1) * ratio, (y2 - y1) * ratio);
  }
}

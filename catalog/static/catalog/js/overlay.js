// The photo and a picture of the catalog laid over each other, with an edge between them that can be moved.

import { byId, fill, texts } from "./page.js";
import { TURNS_BACK } from "./turns.js";

const MOST_PX = 1400; // of the drawing's longest side

export class Overlay {
  constructor() {
    this.dialog = byId("overlay");
    this.canvas = byId("overlay-canvas");
    this.slider = byId("overlay-slider");
    this.slider.addEventListener("input", () => this.#draw());
    byId("overlay-close").addEventListener("click", () => this.dialog.close());
    this.dialog.addEventListener("click", (event) => event.target === this.dialog && this.dialog.close());
    for (const kind of ["pointerdown", "pointermove"]) {
      this.canvas.addEventListener(kind, (event) => event.buttons && this.#wipeTo(event));
    }
  }

  /** Shows one copy over the photo; `size` is that of the photo as it was searched, which the boxes speak of. */
  async open(copy, photo, size) {
    byId("overlay-note").textContent = fill(texts.overlayNote, { merchant: copy.product.merchant.name });
    this.dialog.showModal();
    this.slider.value = 50;
    this.drawn = null;
    this.canvas.classList.add("is-waiting");
    try {
      const [mine, theirs] = await Promise.all([loaded(photo.url), loaded(copy.image.url)]);
      this.drawn = layout(copy, size, mine, theirs);
      Object.assign(this.canvas, { width: this.drawn.width, height: this.drawn.height });
      this.#draw();
    } catch {
      byId("overlay-note").textContent = texts.overlayFailed; // the picture is gone from its shop
    } finally {
      this.canvas.classList.remove("is-waiting");
    }
  }

  #wipeTo(event) {
    const { left, width } = this.canvas.getBoundingClientRect();
    this.slider.value = Math.round((100 * (event.clientX - left)) / width);
    this.#draw();
  }

  #draw() {
    if (!this.drawn) return;
    const { width, height, size, image, mine, theirs, toCanvas, toPhoto } = this.drawn;
    const edge = (width * this.slider.value) / 100;
    const context = this.canvas.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);
    context.imageSmoothingQuality = "high";
    context.save();
    context.setTransform(toCanvas);
    context.drawImage(mine, 0, 0, size.width, size.height);
    context.restore();
    context.save();
    context.beginPath();
    context.rect(edge, 0, width - edge, height);
    context.clip();
    context.setTransform(toCanvas.multiply(toPhoto));
    context.drawImage(theirs, 0, 0, image.width, image.height);
    context.restore();
    context.fillStyle = "#fff";
    context.fillRect(edge - 1.5, 0, 3, height);
  }
}

/** Returns where both pictures go on a canvas that holds them whole. */
function layout({ image, overlay }, size, mine, theirs) {
  const toPhoto = placed(overlay);
  const corners = [
    [0, 0],
    [image.width, 0],
    [0, image.height],
    [image.width, image.height],
  ].map(([x, y]) => toPhoto.transformPoint(new DOMPoint(x, y)));
  const xs = [0, size.width, ...corners.map(({ x }) => x)];
  const ys = [0, size.height, ...corners.map(({ y }) => y)];
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  const [spanX, spanY] = [Math.max(...xs) - left, Math.max(...ys) - top];
  const scale = Math.min(1, MOST_PX / Math.max(spanX, spanY));
  const toCanvas = new DOMMatrix().scale(scale).translate(-left, -top);
  const [width, height] = [Math.ceil(spanX * scale), Math.ceil(spanY * scale)];
  return { width, height, size, image, mine, theirs, toCanvas, toPhoto };
}

/** Returns what maps pixels of the catalog's picture to pixels of the photo. */
function placed({ query_box: [qx1, qy1, qx2, qy2], image_box: [ix1, iy1, ix2, iy2], turn }) {
  return new DOMMatrix()
    .translate(qx1, qy1)
    .scale(qx2 - qx1, qy2 - qy1)
    .multiply(new DOMMatrix(TURNS_BACK[turn] ?? TURNS_BACK[0]))
    .scale(1 / (ix2 - ix1), 1 / (iy2 - iy1))
    .translate(-ix1, -iy1);
}

function loaded(address) {
  const picture = new Image();
  picture.src = address;
  return picture.decode().then(() => picture);
}

// The search area on the photo: move it, resize it, draw it anew, by mouse, finger or keys.

import * as geometry from "./geometry.js";

const MIN_CSS_PX = 24; // smaller is a slip, and can't be grabbed again
const MIN_PX = 8; // the server's own limit
const SLIP_CSS_PX = 4; // a press that moves less is a tap
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class BoxEditor {
  /**
   * `picture` holds the photo and the box `element`. Calls `onLive(box)` while the box changes, `onDone(box)` when it
   * is let go, and `onTap(point)` for a press that goes nowhere.
   */
  constructor(picture, element, { onLive, onDone, onTap }) {
    this.picture = picture;
    this.element = element;
    this.calls = { onLive, onDone, onTap };
    this.image = null;
    this.box = null;
    this.drag = null;
    this.isEditable = false;
    picture.addEventListener("pointerdown", (event) => this.#press(event));
    picture.addEventListener("pointermove", (event) => this.#move(event));
    picture.addEventListener("pointerup", (event) => this.#release(event));
    picture.addEventListener("pointercancel", () => this.#cancel());
    picture.addEventListener("dragstart", (event) => event.preventDefault());
    element.querySelector("#box-body").addEventListener("keydown", (event) => this.#key(event));
  }

  get isBusy() {
    return this.drag !== null;
  }

  get isDrawing() {
    return this.picture.dataset.drawing === "yes";
  }

  /** Whether the next press anywhere on the photo draws: what a finger needs, for which a plain drag scrolls. */
  set isDrawing(value) {
    this.picture.dataset.drawing = value ? "yes" : "no";
  }

  /** Shows the box, or hides it when there is none. */
  show(box, image, isEditable = true) {
    this.box = box;
    this.image = image;
    this.isEditable = isEditable && Boolean(box);
    this.element.hidden = !box;
    this.element.classList.toggle("is-fixed", !isEditable);
    this.element.querySelector("#box-body").disabled = !isEditable;
    if (!box) return;
    this.element.classList.toggle("is-whole", geometry.isWhole(box, image));
    const percent = (value, size) => `${(100 * value) / size}%`;
    this.element.style.left = percent(box[0], image.width);
    this.element.style.top = percent(box[1], image.height);
    this.element.style.width = percent(box[2] - box[0], image.width);
    this.element.style.height = percent(box[3] - box[1], image.height);
  }

  #press(event) {
    if (!this.isEditable || event.button !== 0 || this.drag) return;
    const isTouch = event.pointerType === "touch";
    const handle = event.target.dataset.handle;
    const isInside = this.element.contains(event.target) && !this.element.classList.contains("is-whole");
    let kind = "draw";
    if (handle && !this.isDrawing) kind = "resize";
    else if (isInside && !this.isDrawing) kind = "move";
    // A finger on the photo scrolls the page; it resizes by the handles and draws once asked to.
    if (isTouch && kind !== "resize" && !this.isDrawing) kind = "tap";
    this.drag = { kind, handle, start: [event.clientX, event.clientY], from: this.#point(event), box: this.box };
    if (kind !== "tap") this.picture.setPointerCapture(event.pointerId);
  }

  #move(event) {
    const { drag } = this;
    if (!drag || drag.kind === "tap") return;
    const isSlip = Math.hypot(event.clientX - drag.start[0], event.clientY - drag.start[1]) < SLIP_CSS_PX;
    if (isSlip && !drag.hasMoved) return;
    drag.hasMoved = true;
    this.picture.dataset.dragging = drag.kind;
    const [x, y] = this.#point(event);
    const [dx, dy] = [x - drag.from[0], y - drag.from[1]];
    let box;
    if (drag.kind === "move") box = geometry.moved(drag.box, dx, dy, this.image);
    else if (drag.kind === "resize") box = geometry.resized(drag.box, drag.handle, dx, dy, this.image, this.#min());
    else box = geometry.between(drag.from, [x, y], this.image, this.#min());
    this.show(box, this.image);
    this.calls.onLive(box);
  }

  #release(event) {
    const { drag } = this;
    if (!drag) return;
    this.drag = null;
    delete this.picture.dataset.dragging;
    if (drag.hasMoved) {
      this.isDrawing = false;
      this.calls.onDone(this.box);
    } else {
      this.calls.onTap(this.#point(event));
    }
  }

  /** The browser took the gesture over, to scroll or zoom: what was dragged so far stays. */
  #cancel() {
    const { drag } = this;
    this.drag = null;
    delete this.picture.dataset.dragging;
    if (drag?.hasMoved) this.calls.onDone(this.box);
  }

  #key(event) {
    const step = STEPS[event.key];
    if (!step || !this.isEditable || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const stride = Math.max(this.image.width, this.image.height) / 50;
    const [dx, dy] = [step[0] * stride, step[1] * stride];
    const box = event.shiftKey
      ? geometry.resized(this.box, "se", dx, dy, this.image, this.#min())
      : geometry.moved(this.box, dx, dy, this.image);
    this.show(box, this.image);
    this.calls.onLive(box);
  }

  #point(event) {
    const rect = this.picture.getBoundingClientRect();
    return [
      ((event.clientX - rect.left) / rect.width) * this.image.width,
      ((event.clientY - rect.top) / rect.height) * this.image.height,
    ];
  }

  #min() {
    const rect = this.picture.getBoundingClientRect();
    return Math.max(MIN_PX, (MIN_CSS_PX * this.image.width) / Math.max(rect.width, 1));
  }
}

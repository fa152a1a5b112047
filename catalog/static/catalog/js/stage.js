// The photo in view: a numbered dot on every product found in it, and the box that is searched with.

import { BoxEditor } from "./boxes.js";
import * as geometry from "./geometry.js";
import { byId, categoryName, fill, percent, texts } from "./page.js";

const DOT_GAP = 34; // CSS px between the centers of two dots, so that a finger can tell them apart
const SPACE = "http://www.w3.org/2000/svg";

export class Stage {
  /** Calls `onRegion(region)` for a tapped dot, `onLive(box)` while the box is dragged, `onDone(box)` after. */
  constructor({ onRegion, onLive, onDone }) {
    this.frame = byId("stage-frame");
    this.picture = byId("stage-picture");
    this.image = byId("photo");
    this.plan = byId("stage-plan");
    this.dots = byId("dots");
    this.tools = byId("stage-tools");
    this.onRegion = onRegion;
    this.onDone = onDone;
    this.answer = null;
    this.photo = null;
    this.editor = new BoxEditor(this.picture, byId("box"), {
      onLive: (box) => this.#changed(box, onLive),
      onDone: (box) => this.#changed(box, onDone),
      onTap: (point) => this.#tap(point),
    });
    byId("draw").addEventListener("click", () => this.#draw(!this.editor.isDrawing));
    byId("whole").addEventListener("click", () => onDone(geometry.whole(this.size)));
    this.picture.addEventListener("keydown", (event) => event.key === "Escape" && this.#draw(false));
    new ResizeObserver(() => this.#place()).observe(this.frame);
  }

  get size() {
    return this.answer?.image ?? { width: this.photo?.width || 3, height: this.photo?.height || 4 };
  }

  /** Shows a photo that is about to be searched, without dots yet; null waits for one. */
  open(photo) {
    this.answer = null;
    this.#setPhoto(photo);
    this.plan.setAttribute("hidden", "");
    this.dots.replaceChildren();
    this.editor.show(null, this.size);
    this.tools.hidden = true;
    byId("stage-note").hidden = true;
    this.#ratio();
  }

  /** Shows what an answer says of the photo; without the photo, a plan of where its products were. */
  show(answer, photo) {
    this.answer = answer;
    this.#setPhoto(photo);
    this.#ratio();
    const canSearch = Boolean(photo);
    this.tools.hidden = !canSearch;
    byId("stage-note").hidden = canSearch;
    this.#drawPlan(!photo?.url);
    this.#drawDots(canSearch);
    if (!this.editor.isBusy) this.select(answer.selected.box);
  }

  /** Moves the box ahead of the answer. */
  select(box) {
    this.editor.show(box, this.size, Boolean(this.photo));
    this.tools.hidden = !box || !this.photo;
    byId("whole").setAttribute("aria-pressed", String(Boolean(box) && geometry.isWhole(box, this.size)));
    this.#draw(false);
  }

  /** Marks one dot as chosen, or none. */
  mark(regionId) {
    for (const dot of this.dots.children) {
      dot.setAttribute("aria-pressed", String(Number(dot.dataset.region) === regionId));
    }
  }

  #setPhoto(photo) {
    this.photo = photo;
    this.frame.classList.toggle("is-waiting", !photo?.url && !this.answer);
    this.image.hidden = !photo?.url;
    if (!photo?.url) return this.image.removeAttribute("src");
    if (this.image.src !== photo.url) this.image.src = photo.url;
    this.image.alt = texts.photoAlt;
  }

  #ratio() {
    const { width, height } = this.size;
    // A very tall or wide photo keeps its shape; the style sheet limits both sides.
    this.frame.style.setProperty("--ratio", String(width / height));
    this.frame.dataset.shape = width > 1.1 * height ? "wide" : "tall";
  }

  #drawPlan(isShown) {
    const { width, height } = this.size;
    this.plan.toggleAttribute("hidden", !isShown);
    this.plan.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const rects = this.answer.regions.map(({ box: [x1, y1, x2, y2] }) => {
      const rect = document.createElementNS(SPACE, "rect");
      const sides = { x: x1, y: y1, width: x2 - x1, height: y2 - y1, rx: width / 60 };
      for (const [name, value] of Object.entries(sides)) rect.setAttribute(name, value);
      return rect;
    });
    this.plan.replaceChildren(...rects);
  }

  #drawDots(canSearch) {
    const focused = document.activeElement?.dataset?.region;
    const dots = this.answer.regions.map((region, index) => this.#dot(region, index + 1, canSearch));
    this.dots.replaceChildren(...dots);
    if (focused !== undefined) dots.find((dot) => dot.dataset.region === focused)?.focus({ preventScroll: true });
    this.mark(this.answer.selected.region);
    this.#place();
  }

  #dot(region, number, canSearch) {
    const category = categoryName(region.category);
    const dot = document.createElement("button");
    dot.type = "button";
    dot.className = "dot";
    dot.dataset.region = region.id;
    dot.disabled = !canSearch;
    dot.setAttribute("aria-label", fill(texts.region, { number, category }));
    const label = document.createElement("span");
    label.className = "dot-number";
    label.textContent = number;
    const tip = document.createElement("span");
    tip.className = "dot-tip";
    tip.setAttribute("aria-hidden", "true");
    tip.textContent = fill(texts.regionTip, { category, percent: percent(region.confidence) });
    dot.append(label, tip);
    dot.addEventListener("click", () => this.onRegion(region));
    return dot;
  }

  #place() {
    if (!this.answer) return;
    const { width, height } = this.frame.getBoundingClientRect();
    if (!width || !height) return;
    const scale = width / this.size.width;
    const centers = this.answer.regions.map(({ box }) => geometry.center(box).map((value) => value * scale));
    geometry.spread(centers, DOT_GAP, width, height).forEach(([x, y], index) => {
      const dot = this.dots.children[index];
      dot.style.left = `${(100 * x) / width}%`;
      dot.style.top = `${(100 * y) / height}%`;
      dot.classList.toggle("opens-left", x > width / 2);
    });
  }

  #changed(box, tell) {
    this.mark(null);
    byId("whole").setAttribute("aria-pressed", String(geometry.isWhole(box, this.size)));
    this.#draw(this.editor.isDrawing);
    tell(box);
  }

  #tap(point) {
    const others = this.answer?.regions.filter((region) => region.id !== this.answer.selected.region) ?? [];
    const region = geometry.regionAt(others, point);
    if (region) this.onRegion(region);
  }

  #draw(isDrawing) {
    this.editor.isDrawing = isDrawing;
    byId("draw").setAttribute("aria-pressed", String(isDrawing));
  }
}

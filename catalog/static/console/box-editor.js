// A box on a picture: drag it, pull its corners, draw it anew, or move it by keys. Its four number fields are the truth,
// so that the form does the same without this script.
//
// Arrows move the box by a hundredth of the picture, with Shift its lower right corner; Alt makes steps ten times finer.

import * as geometry from "../catalog/js/geometry.js";

const IMAGE = { width: 100, height: 100 }; // fields are per cent of the picture's sides
const LEAST = 2;
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const CORNERS = ["nw", "ne", "sw", "se"];

function start(editor) {
  const frame = editor.querySelector(".box-frame");
  const fields = [...editor.querySelectorAll("input[type=number]")];
  const body = document.createElement("button");
  body.type = "button";
  body.className = "box-body";
  body.setAttribute("aria-label", "Box. Arrows move it, Shift and arrows resize it, Alt for finer steps.");
  for (const corner of CORNERS) {
    const handle = document.createElement("span");
    handle.className = "box-handle";
    handle.dataset.corner = corner;
    body.append(handle);
  }
  frame.append(body);
  let drag = null;

  const read = () => fields.map((field) => Number(field.value) || 0);
  const place = ([x1, y1, x2, y2]) => {
    body.style.left = `${x1}%`;
    body.style.top = `${y1}%`;
    body.style.width = `${Math.max(0, x2 - x1)}%`;
    body.style.height = `${Math.max(0, y2 - y1)}%`;
  };
  const write = (box) => {
    fields.forEach((field, side) => {
      field.value = (Math.round(box[side] * 10) / 10).toString();
    });
    place(box);
  };
  const at = (event) => {
    const { left, top, width, height } = frame.getBoundingClientRect();
    return [(100 * (event.clientX - left)) / width, (100 * (event.clientY - top)) / height];
  };

  frame.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    body.focus({ preventScroll: true });
    frame.setPointerCapture(event.pointerId);
    const corner = event.target.dataset?.corner;
    const kind = corner ? "resize" : event.target === body ? "move" : "draw";
    drag = { kind, corner, from: at(event), box: read() };
  });
  frame.addEventListener("pointermove", (event) => {
    if (!drag) return;
    const [x, y] = at(event);
    const [dx, dy] = [x - drag.from[0], y - drag.from[1]];
    if (drag.kind === "move") write(geometry.moved(drag.box, dx, dy, IMAGE));
    else if (drag.kind === "resize") write(geometry.resized(drag.box, drag.corner, dx, dy, IMAGE, LEAST));
    else if (Math.hypot(dx, dy) > 1) write(geometry.between(drag.from, [x, y], IMAGE, LEAST));
  });
  for (const kind of ["pointerup", "pointercancel"]) {
    frame.addEventListener(kind, () => {
      drag = null;
    });
  }
  frame.addEventListener("dragstart", (event) => event.preventDefault());

  body.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    if (!step || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    const size = event.altKey ? 0.1 : 1;
    const [dx, dy] = step.map((one) => one * size);
    const box = read();
    write(event.shiftKey ? geometry.resized(box, "se", dx, dy, IMAGE, LEAST) : geometry.moved(box, dx, dy, IMAGE));
  });
  for (const field of fields) field.addEventListener("input", () => place(read()));
  place(read());
  editor.dataset.ready = "yes";
}

/** Starts the editors that are on the page and those that come with another sheet. */
const startAll = () => document.querySelectorAll(".box-editor:not([data-ready])").forEach(start);
startAll();
new MutationObserver(startAll).observe(document.getElementById("main"), { childList: true, subtree: true });

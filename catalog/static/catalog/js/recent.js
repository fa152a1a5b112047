// The latest searches, on this device only: a small picture, what it was, and the way back to it.

import { byId, copyOf } from "./page.js";
import { forget } from "./shelf.js";

const KEY = "shop-search-recent";
const MOST = 8;
const THUMB_PX = 112;

export class Recent {
  constructor() {
    this.root = byId("recent");
    byId("recent-clear").addEventListener("click", () => {
      write([]);
      forget();
      this.show();
      byId("choose").focus({ preventScroll: true });
    });
  }

  /** Lists what is kept; without anything the list isn't there. */
  show() {
    const kept = read();
    this.root.hidden = !kept.length;
    byId("recent-list").replaceChildren(...kept.map(entry));
  }
}

/** Keeps one search: the photo's latest in place of its earlier ones. Does nothing where storage is not allowed. */
export async function keepRecent({ answer, photo, product, asked }, { address, label }) {
  const subject = photo?.id ?? (product ? `product ${product.id}` : `words ${asked.q}`);
  const picture = photo?.url ? await small(photo, answer).catch(() => "") : "";
  const rest = read().filter((one) => one.subject !== subject);
  write([{ subject, address, label, picture, product: product?.image ?? "" }, ...rest].slice(0, MOST));
}

function entry({ address, label, picture, product }) {
  const { root, parts } = copyOf("recent-entry");
  parts.link.href = address;
  parts.label.textContent = label;
  const source = picture ? URL.createObjectURL(blobOf(picture)) : product;
  parts.picture.hidden = !source;
  parts.sign.toggleAttribute("hidden", Boolean(source));
  if (source) parts.picture.src = source;
  return root;
}

/** The part that was searched with, a few kilobytes of it. */
async function small(photo, answer) {
  const image = new Image();
  image.src = photo.url;
  await image.decode();
  const scale = image.naturalWidth / answer.image.width;
  const box = answer.selected.box ?? [0, 0, answer.image.width, answer.image.height];
  const [x1, y1, x2, y2] = box.map((value) => value * scale);
  const side = Math.min(x2 - x1, y2 - y1);
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = THUMB_PX;
  const [left, top] = [(x1 + x2 - side) / 2, (y1 + y2 - side) / 2];
  canvas.getContext("2d").drawImage(image, left, top, side, side, 0, 0, THUMB_PX, THUMB_PX);
  return canvas.toDataURL("image/jpeg", 0.7).split(",")[1];
}

function blobOf(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return new Blob([bytes], { type: "image/jpeg" });
}

function read() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(kept) ? kept.filter((one) => typeof one?.address === "string" && one.address[0] === "/") : [];
  } catch {
    return []; // not allowed, or not ours
  }
}

function write(entries) {
  try {
    if (entries.length) localStorage.setItem(KEY, JSON.stringify(entries));
    else localStorage.removeItem(KEY);
  } catch (error) {
    console.warn("The search is not kept on this device:", error);
  }
}

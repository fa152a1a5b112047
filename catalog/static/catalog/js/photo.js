// A shopper's picture, made ready to send: upright, at most 1600 px, and without the place it was taken at.

import { page } from "./page.js";

const MOST_PX = 1600; // the detector sees 416 px; a product in a fifth of the photo still has 320
const QUALITY = 0.9;
const SMALL_BYTES = 1_500_000;
const WEB_TYPES = ["image/jpeg", "image/png", "image/webp"];

/** Why a file can't be searched with; `kind` names a sentence of the page. */
export class PhotoError extends Error {
  constructor(kind) {
    super(kind);
    this.kind = kind;
  }
}

/**
 * Returns {id, blob, url, width, height}. `url` is null where this browser can't show the picture (HEIC in most): then
 * the original is sent and the server reads it. Throws PhotoError.
 */
export async function prepare(file, id = newId()) {
  if (file.type && !file.type.startsWith("image/")) throw new PhotoError("not_picture");
  const bitmap = await decode(file);
  if (!bitmap) {
    if (file.size > page.maxBytes) throw new PhotoError("too_large");
    return { id, blob: file, url: null, width: 0, height: 0 };
  }
  const { width, height } = bitmap;
  const isSmall = Math.max(width, height) <= MOST_PX && file.size <= SMALL_BYTES && WEB_TYPES.includes(file.type);
  const blob = isSmall ? file : await smaller(bitmap);
  bitmap.close();
  return { id, blob, url: URL.createObjectURL(blob), width, height };
}

/** `crypto.randomUUID` exists on https only; a shop may be tried over plain http at home. */
const newId = () => Array.from(crypto.getRandomValues(new Uint32Array(4)), (word) => word.toString(36)).join("");

async function decode(file) {
  try {
    return await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    return null; // not a format of this browser; the server may still know it
  }
}

async function smaller(bitmap) {
  const scale = Math.min(1, MOST_PX / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff"; // where the picture is transparent
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
  if (!blob) throw new PhotoError("not_picture");
  return blob;
}

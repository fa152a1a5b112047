// Answers given on this page and their addresses, so that Back, Forward, a reload and a link all show the same again.

import * as api from "./api.js";
import { page } from "./page.js";
import { prepare } from "./photo.js";
import { fromAddress, intoAddress, question } from "./question.js";
import { keep, photoOf } from "./shelf.js";

const NO_ID = "00000000-0000-0000-0000-000000000000";
const given = new Map(); // search id -> {answer, photo, product, asked}: for Back, without asking again
let lastStep = null; // what led to the answer shown: a drag is many answers and one step back

export const addressOf = (id, asked) => page.sharedUrl.replace(NO_ID, id) + intoAddress(asked);

/** Gives the answer shown an address of its own. */
export function remember(shown, step) {
  const { answer, photo, product, asked } = shown;
  given.set(answer.id, { ...shown });
  const entry = { search: answer.id, photo: photo?.id ?? null, product, asked };
  const address = addressOf(answer.id, asked);
  if (step === "box" && lastStep === "box") history.replaceState(entry, "", address);
  else history.pushState(entry, "", address);
  lastStep = step;
  if (photo) keep(answer.id, photo);
}

/**
 * Returns {answer, photo, product, asked} for what the address bar says, null where it says nothing, or throws
 * ApiError. `openPhoto` is the photo in view, which needs no decoding again.
 */
export async function restore(entry, openPhoto) {
  lastStep = null;
  const inline = location.pathname + location.search === page.address ? page.answer : null;
  const id = entry?.search ?? location.pathname.match(/\/s\/([0-9a-f-]{36})$/)?.[1] ?? inline?.id;
  if (!id) return null;
  if (given.has(id)) return given.get(id);
  const asked = question(entry?.asked ?? fromAddress(location.search));
  const answering = inline?.id === id ? inline : api.recall(id);
  const producing = asked.product ? (entry?.product ?? api.product(asked.product).catch(() => null)) : null;
  const [answer, kept, product] = await Promise.all([answering, photoOf(id), producing]);
  const isOpen = kept && openPhoto?.id === kept.id;
  const photo = isOpen ? openPhoto : kept && (await prepare(kept.blob, kept.id).catch(() => null));
  const shown = { answer, photo, product, asked };
  given.set(id, shown);
  return shown;
}

/** The product a question is asked with, as results show it. */
export const productStub = ({ id, title, image }) => ({ id, title, image });

// The link to an answer: shared on a phone, copied elsewhere.

import { byId, texts } from "./page.js";

const SAID_FOR_MS = 2000;

/** Makes the button work; calls `onCopied(words)` when the link was copied. */
export function offerLink({ onCopied }) {
  byId("share").addEventListener("click", async () => {
    if (navigator.share && matchMedia("(pointer: coarse)").matches) {
      await navigator.share({ title: document.title, url: location.href }).catch(() => {}); // closed again
      return;
    }
    try {
      await navigator.clipboard.writeText(location.href);
    } catch {
      prompt(texts.share, location.href); // no clipboard on plain http
      return;
    }
    const label = byId("share-label");
    label.textContent = texts.copied;
    onCopied(texts.copied);
    setTimeout(() => {
      label.textContent = texts.share;
    }, SAID_FOR_MS);
  });
}

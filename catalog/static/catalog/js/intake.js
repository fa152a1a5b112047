// Every way a photo comes in: chosen, taken, dropped anywhere, pasted, one of the samples, or by its address.

import { PRODUCT } from "./card.js";
import { byId } from "./page.js";

const ADDRESS = /^https?:\/\/\S+$/i;

/**
 * Calls `onPhoto(file)` for a picture, `onAddress(url)` for a picture's address, `onWords()` when the start page's
 * words are sent, and `onMiss()` when what came was none of these.
 */
export function listen({ onPhoto, onAddress, onWords, onMiss }) {
  for (const input of [byId("choose"), byId("camera")]) {
    const take = () => {
      const [file] = input.files;
      input.value = ""; // so that the same photo can be chosen again
      if (file) onPhoto(file);
    };
    input.addEventListener("change", take);
    if (input.files.length) take(); // chosen before this script had arrived
  }
  byId("intake").addEventListener("submit", (event) => {
    event.preventDefault();
    const url = event.submitter?.dataset.url;
    if (url) fetchSample(url).then(onPhoto, onMiss);
    else onWords();
  });
  document.addEventListener("paste", (event) => {
    const file = [...(event.clipboardData?.files ?? [])][0];
    const address = addressIn(event.clipboardData);
    const isTyping = event.target.closest?.("input:not([type=file]), textarea, select");
    if (!file && (isTyping || !address)) return;
    event.preventDefault();
    if (file) onPhoto(file);
    else onAddress(address);
  });
  listenForDrops({ onPhoto, onAddress, onMiss });
}

async function fetchSample(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return response.blob();
}

/** A picture dragged from another page comes as its address; so does one copied as a link. */
function addressIn(transfer) {
  const lines = (transfer?.getData("text/uri-list") || transfer?.getData("text/plain") || "").split(/\r?\n/);
  return lines.find((line) => ADDRESS.test(line)) ?? null;
}

function listenForDrops({ onPhoto, onAddress, onMiss }) {
  const veil = byId("drop-veil");
  let depth = 0; // dragenter and dragleave come for every element on the way
  // What is dragged from this page (its cards) has a place of its own to go.
  const holdsFile = ({ dataTransfer }) =>
    Boolean(dataTransfer) &&
    !dataTransfer.types.includes(PRODUCT) &&
    (dataTransfer.types.includes("Files") || dataTransfer.types.includes("text/uri-list"));
  const show = (change) => {
    depth = change === null ? 0 : Math.max(0, depth + change);
    veil.hidden = depth === 0;
  };
  document.addEventListener("dragenter", (event) => holdsFile(event) && show(1));
  document.addEventListener("dragleave", (event) => holdsFile(event) && show(-1));
  document.addEventListener("dragover", (event) => holdsFile(event) && event.preventDefault());
  document.addEventListener("drop", (event) => {
    if (!holdsFile(event)) return;
    event.preventDefault();
    show(null);
    const [file] = event.dataTransfer.files;
    const address = addressIn(event.dataTransfer);
    if (file) onPhoto(file);
    else if (address) onAddress(address);
    else onMiss();
  });
}

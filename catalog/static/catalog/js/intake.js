// Every way a photo comes in: chosen, taken, dropped anywhere, pasted, or one of the samples.

import { byId } from "./page.js";

/** Calls `onPhoto(file)` for a picture from any of them, and `onMiss()` when what came was none. */
export function listen({ onPhoto, onMiss }) {
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
  });
  document.addEventListener("paste", (event) => {
    const file = [...(event.clipboardData?.files ?? [])][0];
    if (!file) return;
    event.preventDefault();
    onPhoto(file);
  });
  listenForDrops({ onPhoto, onMiss });
}

async function fetchSample(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return response.blob();
}

function listenForDrops({ onPhoto, onMiss }) {
  const veil = byId("drop-veil");
  let depth = 0; // dragenter and dragleave come for every element on the way
  const holdsFile = (event) => event.dataTransfer?.types.includes("Files");
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
    if (file) onPhoto(file);
    else onMiss();
  });
}

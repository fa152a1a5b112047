// The page of versions: it looks again while a job runs, and shows of the form what the chosen kind needs.

const EVERY_MS = 1500;

const live = document.querySelector("[data-versions]");

async function lookAgain() {
  const busyBefore = live.querySelector(".job") !== null;
  if (!busyBefore || document.hidden || isUsed()) return;
  try {
    const response = await fetch(`${live.dataset.versions}?part`, { credentials: "same-origin" });
    if (response.ok && !isUsed()) live.innerHTML = await response.text();
  } catch {
    // The server restarts: the next look tells.
  }
}

/** Nothing is replaced under somebody's hands. */
function isUsed() {
  const at = document.activeElement;
  return live.querySelector("details[open]") !== null || (live.contains(at) && at.matches("input, select"));
}

if (live) setInterval(lookAgain, EVERY_MS);

const kind = document.querySelector("[data-kind]");

function showFields() {
  for (const fields of document.querySelectorAll("[data-of]")) {
    fields.hidden = !fields.dataset.of.split(" ").includes(kind.value);
    fields.disabled = fields.hidden;
  }
  for (const option of document.querySelectorAll("[data-kind-of]")) {
    option.hidden = option.disabled = option.dataset.kindOf !== kind.value;
    if (option.disabled && option.selected) option.parentElement.value = "";
  }
}

if (kind) {
  kind.addEventListener("change", showFields);
  showFields();
}

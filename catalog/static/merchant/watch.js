// Keeps an upload's counts up to date, and shows the whole page anew once it is finished.

const panel = document.querySelector("[data-watch]");
const PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 15000;

async function watch(pause) {
  await new Promise((resolve) => setTimeout(resolve, pause));
  try {
    const response = await fetch(panel.dataset.watch, { headers: { Accept: "application/json" } });
    if (!response.ok) throw new Error(response.status);
    const state = await response.json();
    if (state.is_finished || state.status === "asking") {
      location.reload();
      return;
    }
    show(state);
    watch(PAUSE_MS);
  } catch {
    watch(Math.min(2 * pause, LONGEST_PAUSE_MS));
  }
}

function show(state) {
  for (const place of panel.querySelectorAll("[data-field]")) {
    place.textContent = state[place.dataset.field] ?? "?";
  }
  panel.querySelector("progress").value = state.percent;
  const paused = panel.querySelector("[data-paused]");
  paused.hidden = !state.paused;
  if (state.paused) paused.querySelector("[data-paused-why]").textContent = state.paused.message;
  const eta = panel.querySelector("[data-eta]");
  eta.hidden = !state.eta_s;
  if (state.eta_s) eta.textContent = state.eta_s < 90 ? `${state.eta_s} s left` : `${Math.round(state.eta_s / 60)} min left`;
}

if (panel) watch(PAUSE_MS);

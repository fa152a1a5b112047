// Keeps the jobs live: progress each second while one is unfinished, and the lists anew when one begins or ends.

const place = document.querySelector("[data-jobs]");
const said = document.querySelector("[data-said]");
const BUSY_MS = 1000;
const IDLE_MS = 10000;
const LONGEST_MS = 30000;

let known = new Map([...place.querySelectorAll("[data-job]")].map((one) => [one.dataset.job, ""]));

async function watch(pause) {
  await new Promise((resolve) => setTimeout(resolve, pause));
  if (document.hidden) return watch(IDLE_MS);
  try {
    const response = await fetch(place.dataset.state, { headers: { Accept: "application/json" } });
    if (!response.ok) throw new Error(response.status);
    const { jobs } = await response.json();
    const now = new Map(jobs.map((job) => [job.id, job.title]));
    if (now.size !== known.size || [...now.keys()].some((id) => !known.has(id))) await renew();
    known = now;
    jobs.forEach(show);
    watch(jobs.length ? BUSY_MS : IDLE_MS);
  } catch {
    watch(Math.min(2 * pause, LONGEST_MS));
  }
}

function show(job) {
  const live = place.querySelector(`[data-job="${job.id}"]`);
  if (!live) return;
  const bar = live.querySelector("progress");
  if (job.percent === null) bar.removeAttribute("value");
  else bar.value = job.percent;
  live.querySelector("[data-words]").textContent = job.total ? `${job.words} (${job.done}/${job.total})` : job.words;
}

async function renew() {
  const response = await fetch(`${location.pathname}?part`);
  if (!response.ok) throw new Error(response.status);
  const held = document.activeElement?.closest?.("[data-jobs] .job-card")?.querySelector("h3")?.textContent;
  place.innerHTML = await response.text();
  document.querySelector(".flash")?.remove();
  if (held) {
    const card = [...place.querySelectorAll(".job-card")].find((one) => one.querySelector("h3").textContent === held);
    card?.querySelector("button")?.focus();
  }
  const last = place.querySelector(".runs tbody tr:not(:has([data-state='queued'], [data-state='running']))");
  if (last) said.textContent = `${last.cells[0].textContent}: ${last.cells[1].textContent.trim()}`;
}

watch(place.hasAttribute("data-busy") ? BUSY_MS : IDLE_MS);

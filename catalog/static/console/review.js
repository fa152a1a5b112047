// A review by keyboard: 1 to 5 judge the result in focus and go on, arrows move, m says that the wrong part was searched
// with, z takes back, s skips, n goes on.
//
// Keys work while the focus is in the sheet, where it starts, so they take nothing from a browser or a screen reader.

const stage = document.getElementById("stage");
const said = document.getElementById("said");
const trouble = document.getElementById("trouble");
const token = document.querySelector("[name=csrfmiddlewaretoken]").value;

let coming = null; // what the server will answer when asked for the sheet after this one
let sending = Promise.resolve(); // verdicts go one after the other, so that "undo" means the one that was seen last
let isTurning = false; // while another sheet comes: a key that was meant for it must not judge this one
const latest = []; // products judged on this sheet, to go back to without waiting

const sheet = () => stage.querySelector(".sheet");
const items = () => [...stage.querySelectorAll(".judged")];
const active = () => document.activeElement?.closest?.(".judged");
const label = (verdict) => stage.querySelector(`.keys [value="${verdict}"]`)?.getAttribute("aria-label") ?? "";
const nameOf = (item) => item.querySelector(".judged-title").textContent;

async function ask(url, options = {}) {
  const response = await fetch(url, { ...options, headers: { Accept: "application/json", ...options.headers } });
  if (response.redirected) location.reload(); // signed out meanwhile
  if (!response.ok) throw new Error((await response.json().catch(() => null))?.message ?? `The server said ${response.status}.`);
  return response;
}

async function post(url, fields = {}) {
  const response = await ask(url, { method: "POST", body: new URLSearchParams(fields), headers: { "X-CSRFToken": token } });
  return response.json();
}

function tell({ today }) {
  if (today !== undefined) document.getElementById("today").textContent = today;
}

function complain(error) {
  trouble.textContent = `That was not kept: ${error.message}`;
  trouble.hidden = false;
}

function mark(item, verdict) {
  item.dataset.verdict = verdict;
  for (const button of item.querySelectorAll(".keys button")) {
    button.setAttribute("aria-pressed", String(button.value === verdict));
  }
}

function focusOn(item) {
  item?.focus({ preventScroll: true });
  item?.scrollIntoView({ block: "nearest" });
}

function judge(item, verdict) {
  if (isTurning) return;
  latest.push(item.dataset.product);
  const before = item.dataset.verdict;
  mark(item, verdict);
  trouble.hidden = true;
  said.textContent = `${label(verdict)}: ${nameOf(item)}`;
  const { action } = item.querySelector(".keys");
  const product = item.dataset.product;
  sending = sending
    .then(() => post(action, { product, verdict }))
    .then(tell)
    .catch((error) => {
      mark(item, before);
      complain(error);
    });
  const all = items();
  const rest = [...all.slice(all.indexOf(item) + 1), ...all].find((one) => !one.dataset.verdict);
  if (rest) focusOn(rest);
  else next();
}

/** Asks for the sheet after this one, once; verdicts first, so that it isn't one of those that were just judged. */
function fetchComing() {
  coming = ask(sheet().dataset.after, { headers: { Accept: "text/html" } }).then((response) =>
    response.status === 204 ? null : response.text(),
  );
  coming.catch(() => {});
}

/** Does what leads to another sheet; until it is there, keys do nothing. */
async function turning(act) {
  if (isTurning) return;
  isTurning = true;
  try {
    await sending;
    await act();
  } catch (error) {
    complain(error);
    fetchComing();
  } finally {
    isTurning = false;
  }
}

const next = () => turning(async () => {
  if (trouble.hidden) await goOn(); // what wasn't kept is still to be judged
});

async function goOn() {
  const html = await coming;
  if (html === null) location.assign(document.getElementById("next").href);
  else show(html);
}

function show(html, product) {
  const parsed = new DOMParser().parseFromString(html, "text/html");
  stage.replaceChildren(parsed.querySelector(".sheet"));
  history.replaceState(null, "", sheet().dataset.url);
  start(product);
}

function start(product) {
  latest.length = 0;
  document.getElementById("waiting").textContent = sheet().dataset.waiting;
  document.getElementById("skip").action = sheet().dataset.skip;
  const all = items();
  focusOn(all.find((item) => item.dataset.product === String(product)) ?? all.find((item) => !item.dataset.verdict) ?? all[0]);
  said.textContent = `${all.length} results to judge.`;
  fetchComing();
}

function undo() {
  if (isTurning) return;
  trouble.hidden = true;
  const product = latest.pop();
  const item = items().find((one) => one.dataset.product === product);
  if (!item) {
    turning(undoEarlier);
    return;
  }
  const before = item.dataset.verdict;
  mark(item, "");
  focusOn(item);
  said.textContent = "Taken back.";
  sending = sending
    .then(() => post(document.getElementById("undo").action))
    .then(tell)
    .catch((error) => {
      mark(item, before);
      complain(error);
    });
}

async function undoEarlier() {
  const gone = await post(document.getElementById("undo").action);
  if (!gone.search) {
    said.textContent = "There is nothing to take back.";
    return;
  }
  tell(gone);
  const url = sheet().dataset.url.replace(sheet().dataset.search, gone.search);
  show(await (await ask(`${url}?part`, { headers: { Accept: "text/html" } })).text(), gone.product);
  said.textContent = "Taken back.";
}

const skip = () => turning(async () => {
  trouble.hidden = true;
  await post(document.getElementById("skip").action);
  await goOn();
});

/** Says, or takes back, that the search looked at the wrong part of the photo. */
function judgeSight() {
  if (isTurning) return;
  const form = stage.querySelector(".sight");
  const button = form.querySelector("button");
  const isWrong = button.value === "1";
  const put = (pressed) => {
    button.setAttribute("aria-pressed", String(pressed));
    button.value = pressed ? "0" : "1";
  };
  put(isWrong);
  trouble.hidden = true;
  said.textContent = isWrong ? `${button.firstChild.textContent.trim()}: noted.` : "Taken back.";
  sending = sending
    .then(() => post(form.action, { wrong: isWrong ? "1" : "0" }))
    .then(tell)
    .catch((error) => {
      put(!isWrong);
      complain(error);
    });
}

function move(by) {
  const all = items();
  const at = all.indexOf(active());
  focusOn(all[Math.min(Math.max(at + by, 0), all.length - 1)]);
}

const columns = () => {
  const all = items();
  return Math.max(1, all.findIndex((item) => item.offsetTop > all[0].offsetTop));
};

const keys = {
  ArrowLeft: () => move(-1),
  ArrowRight: () => move(1),
  ArrowUp: () => move(-columns()),
  ArrowDown: () => move(columns()),
  m: judgeSight,
  n: next,
  s: skip,
  z: undo,
};

stage.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest(".fix")) return; // typed into a form
  const item = active();
  const button = item?.querySelector(`.keys [aria-keyshortcuts="${CSS.escape(event.key)}"]`);
  if (!button && !keys[event.key]) return;
  event.preventDefault();
  if (button) {
    if (!event.repeat) judge(item, button.value);
  } else if (!event.repeat || event.key.startsWith("Arrow")) keys[event.key]();
});

stage.addEventListener("submit", (event) => {
  if (event.target.matches(".sight")) {
    event.preventDefault();
    judgeSight();
    return;
  }
  const item = event.target.closest(".judged");
  if (!item) return; // a form of another's, which sends itself
  event.preventDefault();
  judge(item, event.submitter.value);
});

const instead = (id, kind, act) =>
  document.getElementById(id).addEventListener(kind, (event) => {
    event.preventDefault();
    act();
  });
instead("undo", "submit", undo);
instead("skip", "submit", skip);
instead("next", "click", next);

start();

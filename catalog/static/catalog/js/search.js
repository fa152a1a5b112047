// The shopper's page, run from here: a photo or words come in, answers come back, and the address bar keeps up.
//
//     intake, words -> question -> api -> view -> history
//
// Every question has a turn. An answer whose turn is over is dropped, so what is shown always belongs to the last tap.

import { appliedCategory, trouble } from "./answer.js";
import * as api from "./api.js";
import { listen } from "./intake.js";
import { localizePrices } from "./money.js";
import { byId, fill, page, texts } from "./page.js";
import { productStub, remember, restore } from "./past.js";
import { PhotoError, prepare } from "./photo.js";
import { afresh, question } from "./question.js";
import { offerLink } from "./share.js";
import { View, limits } from "./view.js";

const SETTLE_MS = 200; // a dragged box is searched when it has rested this long
const SLOW_MS = 4000; // then the page says that it is still looking
const PATIENT_MS = 150; // a photo that decodes faster needs no placeholder

const state = { photo: null, product: null, answer: null, asked: question() };
let turn = 0;
let asking = null;
let settling = null;

const view = new View({
  onRegion: (region) => {
    view.stage.select(region.box);
    view.stage.mark(region.id);
    // Each product in the photo has a category and a taste of its own.
    ask({ box: region.box, category: null, like: [], dislike: [], outfit: false }, "region");
  },
  onLive: (box) => {
    clearTimeout(settling);
    settling = setTimeout(() => searchBox(box), SETTLE_MS);
  },
  onDone: (box) => searchBox(box),
  onChoose: (category) => {
    view.chips.press(category);
    ask({ box: currentBox(), category }, "category");
  },
  onChange: (changes) => ask({ box: currentBox(), ...changes }, "change"),
  onOutfit: (outfit) => ask({ box: currentBox(), outfit }, "view"),
  onWords: askWords,
  onAddress: beginWithAddress,
  onProduct: beginWithProduct,
  onPhotoAgain: () => {
    state.product = null;
    wait();
    ask({ product: null }, "photo");
  },
  onMore: showMore,
  onFollow: (product) => state.answer && api.tell(state.answer.id, product, "click"),
});

addEventListener("popstate", (event) => open(event.state));
byId("new-photo").addEventListener("click", (event) => {
  if (event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  history.pushState(null, "", page.homeUrl);
  stop();
  showStart();
  byId("choose").focus({ preventScroll: true });
});
offerLink({ onCopied: (words) => view.say(words) });
localizePrices();
open(history.state);
listen({
  onPhoto: begin,
  onAddress: beginWithAddress,
  onWords: () => view.words.submitStart(),
  onMiss: () => view.refuse(texts.errors.not_picture),
});

const currentBox = () => (state.asked.product ? null : (state.answer?.selected.box ?? null));

/** A new turn: whatever was asked before is no longer waited for. */
function stop() {
  asking?.abort();
  clearTimeout(settling);
  turn += 1;
  return turn;
}

/** A new photo: show it as soon as it is decoded, then search it, with the words that were typed before it came. */
async function begin(file) {
  const own = stop();
  const words = view.isStart ? view.words.typed : "";
  const waiting = setTimeout(() => view.wait({ photo: null, product: null, asked: afresh(words) }), PATIENT_MS);
  let photo;
  try {
    photo = await prepare(file);
  } catch (error) {
    if (!(error instanceof PhotoError)) throw error;
    return own === turn ? reject(texts.errors[error.kind]) : undefined;
  } finally {
    clearTimeout(waiting);
  }
  if (own !== turn) return undefined;
  Object.assign(state, { photo, product: null, answer: null, asked: afresh(words) });
  wait();
  byId("main").focus({ preventScroll: true }); // what was pressed is gone; the next Tab leads to the photo
  view.say(texts.dropped);
  return ask({}, "photo");
}

/** A picture of the web: the server fetches it, then it is a photo like any other. */
async function beginWithAddress(address) {
  const own = stop();
  view.wait({ photo: null, product: null, asked: afresh() });
  try {
    const blob = await api.picture(address);
    if (own === turn) await begin(blob);
  } catch (error) {
    if (!(error instanceof api.ApiError)) throw error;
    if (own === turn) reject(trouble(error));
  }
}

/** More like a product. The photo stays at hand, for the way back. */
function beginWithProduct(product) {
  stop();
  Object.assign(state, { product: productStub(product), answer: null, asked: question({ product: product.id }) });
  wait();
  byId("main").focus({ preventScroll: true });
  ask({}, "product");
}

function askWords(q) {
  if (!state.photo && !state.product) {
    state.answer = null;
    state.asked = question({ ...state.asked, category: null, like: [], dislike: [], q });
    wait();
  }
  ask({ box: currentBox(), q }, "words");
}

/** What was to be searched with is no photo: back to what was shown, and say why. */
function reject([words, advice]) {
  if (state.answer) view.show(state);
  else showStart();
  view.refuse([words, fill(advice, limits)]);
}

function searchBox(box) {
  clearTimeout(settling);
  view.stage.select(box);
  ask({ box, like: [], dislike: [] }, "box");
}

/** Asks the question with some of it changed, and shows its answer unless another was asked since. */
async function ask(changes, step) {
  const asked = question({ ...state.asked, ...changes });
  const own = stop();
  asking = new AbortController();
  const slow = setTimeout(() => view.note(texts.slow), SLOW_MS);
  view.results.busy(true);
  try {
    const answer = await api.search(state.photo?.blob, asked, { signal: asking.signal });
    if (own !== turn) return;
    Object.assign(state, { answer, asked });
    show();
    remember(shown(), step);
    view.keep(location.pathname + location.search);
  } catch (error) {
    if (own !== turn) return;
    if (!(error instanceof api.ApiError)) throw error;
    fail(error, () => ask(changes, step));
  } finally {
    clearTimeout(slow);
  }
}

async function showMore() {
  const { answer } = state;
  const own = stop();
  view.results.busy(true);
  try {
    const asked = { ...state.asked, box: currentBox(), category: appliedCategory(answer) };
    const next = await api.search(state.photo?.blob, asked, { offset: view.results.total });
    if (own === turn) view.added(next);
  } catch (error) {
    if (own !== turn) return;
    if (!(error instanceof api.ApiError)) throw error;
    const retry = () => {
      view.results.notices.replaceChildren();
      showMore();
    };
    view.results.fail(trouble(error), [{ label: texts.tryAgain, act: retry }], { keeps: true });
  }
}

/** Shows what the address bar says: after Back, Forward, a reload, or from a shared link. */
async function open(entry) {
  const own = stop();
  if (view.isStart && view.hasError && entry === null) return; // the server said no, and why
  try {
    const found = await restore(entry, state.photo);
    if (own !== turn) return;
    if (!found) return void showStart({ keepsError: entry === null });
    Object.assign(state, found);
    show();
  } catch (error) {
    if (!(error instanceof api.ApiError)) throw error;
    if (own !== turn) return;
    showStart();
    view.refuse(trouble(error));
  }
}

/** A failed question: a photo that can't be read leads back to the start, all else can be tried again. */
function fail(error, retry) {
  if (!state.answer && !error.isPassing) {
    showStart();
    return view.refuse(trouble(error));
  }
  const actions = [{ label: texts.choosePhoto, icon: "photo", act: () => byId("choose").click() }];
  if (error.isPassing) actions.unshift({ label: texts.tryAgain, act: retry });
  return view.fail(error, actions);
}

const shown = () => ({ ...state, photo: state.asked.product ? null : state.photo });

function show() {
  view.show(shown());
  view.asked.offerPhoto(Boolean(state.photo));
}

const wait = () => view.wait({ photo: state.photo ?? undefined, product: state.product, asked: state.asked });

function showStart(options) {
  Object.assign(state, { photo: null, product: null, answer: null, asked: question() });
  view.start(options);
}

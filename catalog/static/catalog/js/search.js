// The shopper's page, run from here: a photo or words come in, answers come back, and the address bar keeps up.
//
//     intake, words -> question -> session -> api -> view -> history

import { trouble } from "./answer.js";
import * as api from "./api.js";
import { listen } from "./intake.js";
import { localizePrices } from "./money.js";
import { byId, fill, page, texts } from "./page.js";
import { productStub } from "./past.js";
import { PhotoError, prepare } from "./photo.js";
import { afresh, question } from "./question.js";
import { Session } from "./session.js";
import { offerLink } from "./share.js";
import { View, limits } from "./view.js";

const SETTLE_MS = 200; // a dragged box is searched when it has rested this long
const PATIENT_MS = 150; // a photo that decodes faster needs no placeholder

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
  onDone: searchBox,
  onChoose: (category) => {
    view.chips.press(category);
    ask({ box: session.box, category }, "category");
  },
  onChange: (changes) => ask({ box: session.box, ...changes }, "change"),
  onOutfit: (outfit) => ask({ box: session.box, outfit }, "view"),
  onWords: askWords,
  onAddress: beginWithAddress,
  onProduct: beginWithProduct,
  onPhotoAgain: () => {
    session.take({ asked: question({ ...session.asked, product: null, like: [], dislike: [] }) });
    ask({}, "photo");
  },
  onMore: () => session.more(),
  onFollow: (product) => session.answer && api.tell(session.answer.id, product, "click"),
});
const session = new Session(view);

addEventListener("popstate", (event) => {
  clearTimeout(settling);
  session.open(event.state);
});
byId("new-photo").addEventListener("click", (event) => {
  if (event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  history.pushState(null, "", page.homeUrl);
  session.begin();
  session.start();
  byId("choose").focus({ preventScroll: true });
});
offerLink({ onCopied: (words) => view.say(words) });
localizePrices();
session.open(history.state);
listen({
  onPhoto: begin,
  onAddress: beginWithAddress,
  onWords: () => view.words.submitStart(),
  onMiss: () => view.refuse(texts.errors.not_picture),
});

function ask(changes, step) {
  clearTimeout(settling);
  return session.ask(changes, step);
}

function searchBox(box) {
  view.stage.select(box);
  ask({ box, like: [], dislike: [] }, "box");
}

/** A new photo: show it as soon as it is decoded, then search it, with the words that were typed before it came. */
async function begin(file) {
  const own = session.begin();
  clearTimeout(settling);
  const words = view.isStart ? view.words.typed : "";
  const waiting = setTimeout(() => view.wait({ photo: null, product: null, asked: afresh(words) }), PATIENT_MS);
  let photo;
  try {
    photo = await prepare(file);
  } catch (error) {
    if (!(error instanceof PhotoError)) throw error;
    return session.isOver(own) ? undefined : reject(texts.errors[error.kind]);
  } finally {
    clearTimeout(waiting);
  }
  if (session.isOver(own)) return undefined;
  session.take({ photo, asked: afresh(words) });
  byId("main").focus({ preventScroll: true }); // what was pressed is gone; the next Tab leads to the photo
  view.say(texts.dropped);
  return ask({}, "photo");
}

/** A picture of the web: the server fetches it, then it is a photo like any other. */
async function beginWithAddress(address) {
  const own = session.begin();
  view.wait({ photo: null, product: null, asked: afresh() });
  try {
    const blob = await api.picture(address);
    if (!session.isOver(own)) await begin(blob);
  } catch (error) {
    if (!(error instanceof api.ApiError)) throw error;
    if (!session.isOver(own)) reject(trouble(error));
  }
}

function beginWithProduct(product) {
  session.take({ product: productStub(product), asked: question({ product: product.id }) });
  byId("main").focus({ preventScroll: true });
  ask({}, "product");
}

function askWords(q) {
  if (!session.photo && !session.product) {
    session.take({ asked: question({ ...session.asked, category: null, like: [], dislike: [], q }) });
  }
  ask({ box: session.box, q }, "words");
}

function reject([words, advice]) {
  session.reject([words, fill(advice, limits)]);
}

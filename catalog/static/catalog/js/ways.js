// Where nothing is close: what the shopper can do about it, by the reason.

import { appliedCategory } from "./answer.js";
import { byId, page, texts } from "./page.js";
import { unfiltered, withoutWish } from "./question.js";

/** Returns the ways on, the best first: [{label, icon, act}]. */
export function waysOn(answer, asked, { onChoose, onChange }) {
  const ways = {
    everything: { label: texts.lookEverywhere, act: () => onChoose(page.everything) },
    unfilter: { label: texts.clearAll, act: () => onChange(cleared(answer, asked)) },
    photo: { label: texts.choosePhoto, icon: "photo", act: () => byId("choose").click() },
    draw: { label: texts.drawBox, icon: "crop", act: draw },
  };
  const isNarrowed = appliedCategory(answer) !== page.everything;
  const hasPhoto = Boolean(answer.image) && !byId("stage-tools").hidden;
  const byReason = {
    nothing_matches_filters: ["unfilter", "everything"],
    category_not_sold: ["everything"],
    too_dark: ["photo"],
    blurred: ["photo"],
    too_small: ["draw"],
    nothing_detected: ["draw", "photo"],
  };
  return (byReason[answer.reason] ?? ["everything"])
    .filter((name) => (name !== "everything" || isNarrowed) && (name !== "draw" || hasPhoto))
    .map((name) => ways[name]);
}

/** The question without its filters and wishes. */
export function cleared(answer, asked) {
  // From the back, so that what was cut leaves the places before it as they were.
  const wishes = [...(answer.wishes ?? [])].sort((a, b) => b.start - a.start);
  return { ...unfiltered, like: [], dislike: [], q: wishes.reduce(withoutWish, asked.q) };
}

function draw() {
  byId("stage").scrollIntoView({ block: "center" });
  byId("draw").click();
  byId("draw").focus({ preventScroll: true });
}

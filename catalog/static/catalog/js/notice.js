// A message in the place of results, with ways on.

import { copyOf, icon } from "./page.js";

/** Returns the message; `actions` are [{label, icon, act}], and `act` is given its button. */
export function notice(tone, headline, advice, actions) {
  const { root, parts } = copyOf("notice");
  root.dataset.tone = tone;
  if (tone === "error") root.setAttribute("role", "alert");
  parts.icon.setAttribute("href", tone === "error" ? "#i-alert" : "#i-compass");
  parts.headline.textContent = headline;
  parts.headline.hidden = !headline; // said above the grid already
  parts.advice.textContent = advice;
  for (const action of actions) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = parts.actions.children.length ? "button" : "button strong";
    if (action.icon) button.append(icon(action.icon));
    button.append(action.label);
    button.addEventListener("click", () => action.act(button));
    parts.actions.append(button);
  }
  return root;
}

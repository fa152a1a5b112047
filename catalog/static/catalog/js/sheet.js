// The filters: a panel over the results where there is room, a sheet from below on a phone.

import { byId } from "./page.js";

const narrow = matchMedia("(max-width: 899px)");

export class Sheet {
  constructor() {
    this.form = byId("filters");
    this.place = byId("filters-place");
    this.dialog = byId("filters-sheet");
    this.opener = byId("filters-open");
    this.opener.addEventListener("click", () => (this.isOpen ? this.close() : this.open()));
    byId("filters-close").addEventListener("click", () => this.close());
    this.dialog.addEventListener("close", () => this.close());
    this.dialog.addEventListener("click", (event) => event.target === this.dialog && this.close());
    narrow.addEventListener("change", () => this.close());
  }

  get isOpen() {
    return this.opener.getAttribute("aria-expanded") === "true";
  }

  open() {
    this.opener.setAttribute("aria-expanded", "true");
    if (!narrow.matches) return this.place.classList.add("is-open");
    this.dialog.append(this.form);
    return this.dialog.showModal(); // keeps the focus inside and gives it back
  }

  close() {
    this.opener.setAttribute("aria-expanded", "false");
    this.place.classList.remove("is-open");
    if (this.dialog.open) this.dialog.close();
    if (this.form.parentElement !== this.place) this.place.append(this.form);
  }
}

/* Shop Search in a shop's own page: <script async src=".../widget.js" data-key="pub_..."></script> and, where the camera
   button should stand, <shop-search></shop-search>. No dependencies; what it draws lives in a shadow tree, so that the
   page's styles and the widget's never meet. docs/widget.md tells how it is dressed. */

(() => {
  "use strict";

  const script = document.currentScript;
  const base = new URL("/", script.dataset.server ?? script.src);
  const key = script.dataset.key ?? "";
  const MOST_PX = 1600; // the detector sees 416 px; a product in a fifth of the photo still has 320
  const TIMEOUT_MS = 30_000;

  const WORDS = {
    open: "Search with a photo",
    title: "Search with a photo",
    again: "Another photo",
    close: "Close",
    searching: "Searching…",
    region: "Search for this: {0}",
    same_photo: "Found it",
    same_product: "Found it",
    similar: "These look similar",
    nothing_close: "Nothing here comes close",
    nothing_matches: "Nothing was found",
    nearest: "Show the nearest anyway",
    count: "{0} products shown.",
    soldOut: "Sold out",
    same: "Same product",
    preview: "Your photo",
    unreachable: "The search can't be reached. Please try again.",
    notPicture: "This is not a picture.",
  };

  const STYLE = `
    :host { display: inline-block; font: var(--shop-search-font, inherit); }
    :host([hidden]) { display: none; }
    * { box-sizing: border-box; }
    button { font: inherit; color: inherit; cursor: pointer; }
    button:focus-visible, a:focus-visible, h2:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
    .open, dialog { --accent: var(--shop-search-accent, #b93a12); --on-accent: var(--shop-search-on-accent, #fff);
      --ink: var(--shop-search-ink, #1c1916); --paper: var(--shop-search-paper, #fff);
      --round: var(--shop-search-round, 12px); }
    .open, .plain, .loud { display: inline-flex; align-items: center; gap: 8px; min-height: 44px; padding: 8px 16px;
      border-radius: var(--round); border: 1px solid currentColor; background: none; }
    .open, .loud { background: var(--accent); color: var(--on-accent); border-color: var(--accent); }
    svg { width: 22px; height: 22px; fill: none; stroke: currentColor; stroke-width: 1.8; flex: none; }
    dialog { width: min(880px, 100vw); max-width: 100vw; max-height: min(92vh, 900px); padding: 0; border: 0; margin: auto;
      border-radius: var(--round); color: var(--ink); background: var(--paper); overflow: auto; }
    dialog::backdrop { background: rgb(20 18 16 / 55%); }
    header { position: sticky; top: 0; z-index: 2; display: flex; align-items: center; gap: 8px; padding: 12px 16px;
      background: var(--paper); border-bottom: 1px solid rgb(128 120 110 / 30%); }
    h2 { margin: 0 auto 0 0; font-size: 1.1rem; border-radius: 4px; }
    .body { display: grid; grid-template-columns: minmax(180px, 1fr) 2fr; gap: 20px; padding: 16px; }
    .photo { position: relative; align-self: start; margin: 0; border-radius: var(--round); overflow: hidden;
      background: rgb(128 120 110 / 16%); min-height: 80px; }
    .photo img { display: block; width: 100%; }
    .spot { position: absolute; width: 30px; height: 30px; padding: 0; transform: translate(-50%, -50%);
      border-radius: 50%; border: 2px solid #fff; background: rgb(20 18 16 / 70%); color: #fff; font-size: 14px; }
    .spot::after { content: ""; position: absolute; inset: -9px; }
    .spot[aria-pressed="true"] { background: var(--accent); color: var(--on-accent); }
    .said { margin: 0 0 12px; font-weight: 600; }
    ul { display: grid; grid-template-columns: repeat(auto-fill, minmax(130px, 1fr)); gap: 14px; margin: 0; padding: 0;
      list-style: none; }
    li a { display: block; color: inherit; text-decoration: none; border-radius: var(--round); }
    li a:hover .name { text-decoration: underline; }
    li img { display: block; width: 100%; aspect-ratio: 1; object-fit: contain; border-radius: var(--round);
      background: #f4f1eb; }
    .name, .price, .badge { display: block; margin-top: 6px; }
    .name { display: -webkit-box; -webkit-line-clamp: 2; -webkit-box-orient: vertical; overflow: hidden; font-size: .9rem; }
    .price { font-weight: 600; }
    .badge { width: max-content; padding: 2px 8px; border-radius: 99px; font-size: .78rem;
      background: var(--accent); color: var(--on-accent); }
    .wait { opacity: .45; }
    [hidden] { display: none !important; }
    @media (max-width: 600px) {
      dialog { width: 100vw; max-height: 100dvh; height: 100dvh; border-radius: 0; }
      .body { grid-template-columns: 1fr; }
      .photo { max-width: 60vw; }
    }
    @media (prefers-reduced-motion: no-preference) { .wait { transition: opacity .2s; } }
  `;

  const CAMERA =
    '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M4 8h3l2-3h6l2 3h3v11H4z"/><circle cx="12" cy="13" r="3.6"/></svg>';
  const MARKUP = `
    <button class="open" type="button">${CAMERA}<span class="label"></span></button>
    <input type="file" accept="image/*" hidden tabindex="-1" aria-hidden="true">
    <dialog aria-labelledby="title">
      <header><h2 id="title" tabindex="-1"></h2>
        <button class="plain again" type="button"></button><button class="plain close" type="button"></button></header>
      <div class="body">
        <figure class="photo"></figure>
        <div><p class="said" role="status"></p><button class="loud nearest" type="button" hidden></button>
          <ul hidden></ul></div>
      </div>
    </dialog>`;

  class ShopSearch extends HTMLElement {
    #words = WORDS;
    #photo = null; // {blob, url}
    #asking = null; // AbortController of the question under way
    #parts = {};

    connectedCallback() {
      if (this.shadowRoot) return;
      const root = this.attachShadow({ mode: "open" });
      root.innerHTML = MARKUP; // ours alone; what a server says is only ever set as text
      const sheet = new CSSStyleSheet(); // a strict content security policy allows it, unlike a <style>
      sheet.replaceSync(STYLE);
      root.adoptedStyleSheets = [sheet];
      this.#words = { ...WORDS, ...own(this.getAttribute("words")) };
      const part = (selector) => root.querySelector(selector);
      this.#parts = {
        input: part("input"), dialog: part("dialog"), title: part("h2"), photo: part(".photo"), said: part(".said"),
        nearest: part(".nearest"), list: part("ul"),
      };
      part(".label").textContent = this.#words.open;
      part("h2").textContent = this.#words.title;
      part(".again").textContent = this.#words.again;
      part(".close").textContent = this.#words.close;
      this.#parts.nearest.textContent = this.#words.nearest;
      part(".open").addEventListener("click", () => this.#parts.input.click());
      part(".again").addEventListener("click", () => this.#parts.input.click());
      part(".close").addEventListener("click", () => this.#parts.dialog.close());
      this.#parts.dialog.addEventListener("close", () => this.#asking?.abort());
      this.#parts.input.addEventListener("change", () => this.#take(this.#parts.input.files[0]));
      this.#parts.nearest.addEventListener("click", () => {
        this.#parts.list.hidden = false;
        this.#parts.nearest.hidden = true;
        this.#parts.list.querySelector("a")?.focus();
      });
    }

    /** Searches with a picture that the page has: a File or a Blob. */
    search(picture) {
      return this.#take(picture);
    }

    async #take(file) {
      this.#parts.input.value = ""; // the same file may be chosen again
      if (!file) return;
      this.#show();
      if (this.#photo) URL.revokeObjectURL(this.#photo.url);
      this.#photo = null;
      this.#parts.photo.replaceChildren();
      this.#parts.list.replaceChildren();
      if (file.type && !file.type.startsWith("image/")) return this.#say(this.#words.notPicture);
      const blob = await smaller(file);
      this.#photo = { blob, url: URL.createObjectURL(blob) };
      const image = make("img", { src: this.#photo.url, alt: this.#words.preview });
      image.addEventListener("error", () => image.remove()); // HEIC: the server reads what this browser can't show
      this.#parts.photo.append(image);
      return this.#ask();
    }

    async #ask(box = null, spot = null) {
      this.#asking?.abort();
      const asking = (this.#asking = new AbortController());
      const timer = setTimeout(() => asking.abort(new DOMException("", "TimeoutError")), TIMEOUT_MS);
      this.#say(this.#words.searching);
      this.#parts.nearest.hidden = true;
      this.#parts.list.classList.add("wait");
      const form = new FormData();
      form.append("image", this.#photo.blob, "photo");
      form.append("limit", this.getAttribute("limit") ?? "12");
      if (box) form.append("box", box.join(","));
      try {
        const response = await send("api/v1/search/", { body: form, signal: asking.signal });
        const answer = await response.json();
        if (asking !== this.#asking) return;
        if (!response.ok) return this.#say(answer.message ?? this.#words.unreachable);
        this.#draw(answer, spot);
        this.dispatchEvent(new CustomEvent("shop-search", { detail: answer, bubbles: true, composed: true }));
      } catch {
        if (asking !== this.#asking || (asking.signal.aborted && asking.signal.reason?.name !== "TimeoutError")) return;
        this.#parts.list.replaceChildren();
        this.#say(this.#words.unreachable);
      } finally {
        clearTimeout(timer);
        if (asking === this.#asking) this.#parts.list.classList.remove("wait");
      }
    }

    #draw(answer, spot) {
      const { list, nearest } = this.#parts;
      if (spot === null) this.#drawSpots(answer);
      list.replaceChildren(...answer.results.map((result) => this.#card(result, answer.id)));
      const isFar = answer.band === "nothing_close";
      list.hidden = isFar;
      nearest.hidden = !isFar || !answer.results.length;
      const band = answer.results.length ? this.#words[answer.band] : this.#words.nothing_matches;
      this.#say(isFar ? band : `${band}. ${fill(this.#words.count, answer.results.length)}`);
    }

    #drawSpots(answer) {
      const { photo } = this.#parts;
      for (const old of photo.querySelectorAll("button")) old.remove();
      for (const region of answer.regions) {
        const [x1, y1, x2, y2] = region.box;
        const label = fill(this.#words.region, region.category);
        const spot = make("button", { type: "button", className: "spot", textContent: String(region.id + 1) });
        spot.setAttribute("aria-label", label);
        spot.setAttribute("aria-pressed", String(region.id === answer.selected.region));
        spot.style.left = `${(50 * (x1 + x2)) / answer.image.width}%`;
        spot.style.top = `${(50 * (y1 + y2)) / answer.image.height}%`;
        spot.addEventListener("click", () => {
          for (const other of photo.querySelectorAll("button")) other.setAttribute("aria-pressed", String(other === spot));
          this.#ask(region.box, spot);
        });
        photo.append(spot);
      }
    }

    #card(result, search) {
      const { product, band } = result;
      const link = make("a", { href: web(product.url) ?? new URL(`p/${product.id}/`, base).href });
      const image = make("img", { alt: "", loading: "lazy", decoding: "async" });
      if (web(product.image)) image.src = web(product.image);
      link.append(image);
      const isSame = band === "same_product" || band === "same_photo";
      if (isSame) link.append(make("span", { className: "badge", textContent: this.#words.same }));
      link.append(make("span", { className: "name", textContent: product.title }));
      const price = product.in_stock ? money(product.price, product.currency) : this.#words.soldOut;
      if (price) link.append(make("span", { className: "price", textContent: price }));
      link.addEventListener("click", () => {
        const body = JSON.stringify({ product: product.id, verdict: "click" });
        const headers = { "Content-Type": "application/json" };
        send(`api/v1/search/${search}/feedback/`, { body, headers, keepalive: true }).catch(() => {});
      });
      const item = make("li");
      item.append(link);
      return item;
    }

    #show() {
      const { dialog, title } = this.#parts;
      if (!dialog.open) dialog.showModal();
      title.focus();
    }

    #say(sentence) {
      this.#parts.said.textContent = sentence;
    }
  }

  const send = (path, options) =>
    fetch(new URL(path, base), {
      method: "POST", credentials: "omit", mode: "cors", ...options,
      headers: { "X-Widget-Key": key, ...options.headers },
    });

  const make = (name, properties = {}) => Object.assign(document.createElement(name), properties);

  const fill = (sentence, value) => sentence.replace("{0}", () => String(value));

  /** Returns an address that a link may have, or null: never a `javascript:` one, whatever a feed said. */
  function web(address) {
    try {
      const url = new URL(address, base);
      return address && ["http:", "https:"].includes(url.protocol) ? url.href : null;
    } catch {
      return null;
    }
  }

  function money(price, currency) {
    if (price === null || price === undefined) return "";
    try {
      const language = document.documentElement.lang || undefined;
      return new Intl.NumberFormat(language, { style: "currency", currency }).format(Number(price));
    } catch {
      return `${price} ${currency}`.trim();
    }
  }

  /** Returns the picture upright, at most 1600 px, and without the place it was taken at, where the browser can. */
  async function smaller(file) {
    let bitmap;
    try {
      bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
    } catch {
      return file; // not a format of this browser; the server may still know it
    }
    const scale = Math.min(1, MOST_PX / Math.max(bitmap.width, bitmap.height));
    const canvas = make("canvas", {
      width: Math.max(1, Math.round(bitmap.width * scale)), height: Math.max(1, Math.round(bitmap.height * scale)),
    });
    const context = canvas.getContext("2d");
    context.fillStyle = "#fff"; // where the picture is transparent
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    bitmap.close();
    return (await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.9))) ?? file;
  }

  /** Returns the page's own words: JSON like {"open": "Foto suchen"}. */
  function own(text) {
    if (!text) return {};
    try {
      return JSON.parse(text);
    } catch {
      console.warn("shop-search: the words attribute is not JSON.");
      return {};
    }
  }

  if (!customElements.get("shop-search")) customElements.define("shop-search", ShopSearch);
})();

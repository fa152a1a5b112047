// The shop's API: one search, an earlier answer, and what was clicked.

import { page } from "./page.js";

const PATIENCE_MS = 45_000;

export const LIMIT = 24;

/** An error with a `kind` among the page's sentences, and the server's own words where it found some. */
export class ApiError extends Error {
  constructor(kind, { code = kind, message = "", status = 0 } = {}) {
    super(message || kind);
    this.kind = kind;
    this.code = code;
    this.words = message;
    this.status = status;
  }

  /** Whether the same question may be answered later. */
  get isPassing() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** Returns the answer for a photo. Throws ApiError, or an AbortError when the signal fires. */
export function search(blob, { box = null, category = null, offset = 0 } = {}, signal) {
  const form = new FormData();
  form.append("image", blob, blob.name || "photo.jpg");
  if (box) form.append("box", box.map((value) => Math.round(value * 10) / 10).join(","));
  if (category) form.append("category", category);
  form.append("limit", LIMIT);
  if (offset) form.append("offset", offset);
  return ask(page.searchUrl, { method: "POST", body: form }, signal);
}

/** Returns an earlier answer, with its products as they are now. */
export const recall = (id, signal) => ask(`${page.searchUrl}${id}/`, {}, signal);

/** Tells the shop that a result was followed; nothing waits for it. */
export function clicked(searchId, product) {
  const body = JSON.stringify({ product, verdict: "click" });
  const headers = { "Content-Type": "application/json" };
  fetch(`${page.searchUrl}${searchId}/feedback/`, { method: "POST", body, headers, keepalive: true }).catch(() => {});
}

async function ask(url, options, signal) {
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), PATIENCE_MS);
  const stop = () => patience.abort();
  signal?.addEventListener("abort", stop);
  try {
    const response = await fetch(url, { ...options, signal: patience.signal, headers: { Accept: "application/json" } });
    const body = await response.json().catch(() => null);
    if (response.ok && body) return body;
    throw refusal(response.status, body);
  } catch (error) {
    if (error instanceof ApiError || signal?.aborted) throw error;
    throw new ApiError(patience.signal.aborted ? "timeout" : navigator.onLine === false ? "offline" : "network");
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
  }
}

function refusal(status, body) {
  const facts = { code: body?.code, message: body?.message ?? "", status };
  if (status >= 500 || !body) return new ApiError("server", facts);
  return new ApiError(body.code === "search_unknown" ? "search_unknown" : "photo", facts);
}

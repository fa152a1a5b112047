// The shop's API: one search, an earlier answer, a product, and what the shopper said of it.

import { page } from "./page.js";
import { intoForm } from "./question.js";

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

/** Returns the answer to a question, with a photo or without. Throws ApiError, or AbortError when the signal fires. */
export function search(blob, asked, { offset = 0, signal } = {}) {
  const form = new FormData();
  if (blob && !asked.product) form.append("image", blob, blob.name || "photo.jpg");
  intoForm(asked, form);
  form.append("limit", LIMIT);
  if (offset) form.append("offset", offset);
  return ask(page.searchUrl, { method: "POST", body: form }, signal);
}

/** Returns an earlier answer, with its products as they are now. */
export const recall = (id, signal) => ask(`${page.searchUrl}${id}/`, {}, signal);

/** Returns one product as results show it. */
export const product = (id) => ask(page.productApiUrl.replace("/0/", `/${id}/`));

/** Tells the shop what the shopper did with a result; nothing waits for it. */
export function tell(searchId, product, verdict) {
  const body = JSON.stringify({ product, verdict });
  const headers = { "Content-Type": "application/json" };
  fetch(`${page.searchUrl}${searchId}/feedback/`, { method: "POST", body, headers, keepalive: true }).catch(() => {});
}

/** Returns the picture at an address as a blob; the server fetches it. Throws ApiError. */
export async function picture(address) {
  const form = new FormData();
  form.append("url", address);
  const response = await answered(page.pictureUrl, { method: "POST", body: form, headers: { "X-CSRFToken": token() } });
  return response.blob();
}

const token = () => document.querySelector("[name=csrfmiddlewaretoken]").value;

async function ask(url, options = {}, signal) {
  const headers = { ...options.headers, Accept: "application/json" };
  return answered(url, { ...options, headers }, signal, (response) => response.json());
}

async function answered(url, options, signal, read = (response) => response) {
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), PATIENCE_MS);
  const stop = () => patience.abort();
  signal?.addEventListener("abort", stop);
  try {
    const response = await fetch(url, { ...options, signal: patience.signal });
    const body = response.ok ? await read(response) : await response.json().catch(() => null);
    if (response.ok) return body;
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
  const fields = Object.values(body?.fields ?? {}).join(" ");
  const facts = { code: body?.code, message: fields || (body?.message ?? ""), status };
  if (status >= 500 || !body) return new ApiError("server", facts);
  if (body.code === "search_unknown") return new ApiError("search_unknown", facts);
  return new ApiError(body.code?.startsWith("image") || body.code?.startsWith("box") ? "photo" : "question", facts);
}

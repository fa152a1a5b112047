// One search as a value: all that is asked beside the photo. Nothing here touches the page.

/** Filters of which several values mean any of them. */
export const LISTS = ["brand", "color", "gender", "article_type", "pattern", "merchant"];
const PRICES = ["price_min", "price_max"];
const TASTES = ["like", "dislike"];

const BLANK = {
  q: "",
  category: null, // what the shopper chose; null lets the picture tell
  box: null,
  product: null,
  price_min: "",
  price_max: "",
  in_stock: false,
  brand: [],
  color: [],
  gender: [],
  article_type: [],
  pattern: [],
  merchant: [],
  like: [],
  dislike: [],
  outfit: false,
};

export const question = (given = {}) => ({ ...BLANK, ...given });

/** What a new search starts from: the words and nothing else. */
export const afresh = (q = "") => question({ q });

const NO_LISTS = Object.fromEntries(LISTS.map((name) => [name, []]));

/** The filters switched off. */
export const unfiltered = { price_min: "", price_max: "", in_stock: false, ...NO_LISTS };

/** Writes the question into a form for the API. Several values of one field are sent one by one. */
export function intoForm(asked, form) {
  for (const [name, value] of fields(asked)) form.append(name, value);
  if (asked.box) form.append("box", asked.box.map((side) => Math.round(side * 10) / 10).join(","));
  if (asked.outfit) form.append("outfit", "true");
}

/** What an address says of the question: all but the photo and the box, which its answer knows. */
export function intoAddress(asked) {
  const params = new URLSearchParams(fields(asked));
  if (asked.outfit) params.append("view", "outfit");
  const text = params.toString();
  return text ? `?${text}` : "";
}

/** The question that an address carries. */
export function fromAddress(search) {
  const params = new URLSearchParams(search);
  const asked = question({ q: params.get("q") ?? "", category: params.get("category") || null });
  asked.product = Number(params.get("product")) || null;
  asked.in_stock = params.get("in_stock") === "true";
  asked.outfit = params.get("view") === "outfit";
  for (const name of PRICES) asked[name] = params.get(name) ?? "";
  for (const name of LISTS) asked[name] = params.getAll(name);
  for (const name of TASTES) asked[name] = params.getAll(name).map(Number).filter(Boolean);
  return asked;
}

function fields(asked) {
  const pairs = [];
  if (asked.q.trim()) pairs.push(["q", asked.q.trim()]);
  if (asked.product) pairs.push(["product", asked.product]);
  if (asked.category) pairs.push(["category", asked.category]);
  if (asked.in_stock) pairs.push(["in_stock", "true"]);
  for (const name of PRICES) if (asked[name] !== "") pairs.push([name, asked[name]]);
  for (const name of [...LISTS, ...TASTES]) for (const value of asked[name]) pairs.push([name, value]);
  return pairs;
}

/** How many filters are on. */
export const filterCount = (asked) =>
  LISTS.reduce((sum, name) => sum + asked[name].length, 0) +
  Number(asked.in_stock) +
  Number(PRICES.some((name) => asked[name] !== ""));

/** The words without the part a wish was read from. Its place is counted in characters, as the server counts. */
export function withoutWish(q, wish) {
  const letters = Array.from(q);
  const rest = [...letters.slice(0, wish.start), " ", ...letters.slice(wish.end)].join("");
  return rest.split(/\s+/).filter(Boolean).join(" ");
}

export const without = (list, value) => list.filter((one) => one !== value);

// The shopper's photos, kept in her own browser so that Back and a reload can show them again. They go nowhere else.

const MOST = 12;
const KEEP_MS = 7 * 24 * 3600 * 1000;
const PHOTOS = "photos"; // photo id -> {blob, at}
const SEARCHES = "searches"; // search id -> {photo, at}

let opened = null;

/** Remembers which photo a search was made with. Does nothing where the browser allows no storage. */
export async function keep(searchId, photo) {
  await quietly(async (database) => {
    const store = database.transaction([PHOTOS, SEARCHES], "readwrite");
    store.objectStore(PHOTOS).put({ blob: photo.blob, at: Date.now() }, photo.id);
    store.objectStore(SEARCHES).put({ photo: photo.id, at: Date.now() }, searchId);
    await done(store);
    await prune(database);
  });
}

/** Returns {id, blob} of the photo a search was made with on this device, or null. */
export async function photoOf(searchId) {
  return quietly(async (database) => {
    const store = database.transaction([PHOTOS, SEARCHES]);
    const search = await result(store.objectStore(SEARCHES).get(searchId));
    const photo = search && (await result(store.objectStore(PHOTOS).get(search.photo)));
    return photo ? { id: search.photo, blob: photo.blob } : null;
  });
}

/** Takes everything off the shelf. */
export async function forget() {
  await quietly(async (database) => {
    const store = database.transaction([PHOTOS, SEARCHES], "readwrite");
    store.objectStore(PHOTOS).clear();
    store.objectStore(SEARCHES).clear();
    await done(store);
  });
}

async function prune(database) {
  const store = database.transaction([PHOTOS, SEARCHES], "readwrite");
  const photos = store.objectStore(PHOTOS);
  const [ids, kept] = await Promise.all([result(photos.getAllKeys()), result(photos.getAll())]);
  const byAge = ids.map((id, index) => ({ id, at: kept[index].at })).sort((a, b) => b.at - a.at);
  const old = byAge.filter((photo, index) => index >= MOST || Date.now() - photo.at > KEEP_MS);
  const gone = new Set(old.map((photo) => photo.id));
  for (const id of gone) photos.delete(id);
  if (!gone.size) return;
  const searches = store.objectStore(SEARCHES);
  const [keys, entries] = await Promise.all([result(searches.getAllKeys()), result(searches.getAll())]);
  keys.forEach((key, index) => gone.has(entries[index].photo) && searches.delete(key));
}

/** A browser without storage (private windows of some) only loses the photo on reload. */
async function quietly(work) {
  try {
    opened ??= open();
    return await work(await opened);
  } catch (error) {
    console.warn("The photo is not kept on this device:", error);
    return null;
  }
}

function open() {
  const request = indexedDB.open("shop-search", 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore(PHOTOS);
    request.result.createObjectStore(SEARCHES);
  };
  return result(request);
}

const result = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

const done = (transaction) =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onerror = transaction.onabort = () => reject(transaction.error);
  });

// While an edit is on its way, its progress is read anew every second and a half; the rest of the page stays as it is.

const EVERY_MS = 1500;
const jobs = document.getElementById("jobs");

async function look() {
  try {
    const response = await fetch(location.pathname, { headers: { Accept: "text/html" } });
    if (response.ok && !response.redirected) {
      const fresh = new DOMParser().parseFromString(await response.text(), "text/html").getElementById("jobs");
      jobs.replaceChildren(...fresh.childNodes);
    }
  } catch {
    // the next look may fare better
  }
  wait();
}

function wait() {
  if (jobs.querySelector("[data-running]")) setTimeout(look, EVERY_MS);
}

wait();

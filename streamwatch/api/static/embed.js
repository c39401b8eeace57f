// Keeps the page up to date: it loads itself again when an event arrives, and from time to time for
// the viewers. Where events are not pushed to it (no key, no room), it asks every two seconds.
const PUSHED_MS = 30_000;
const POLLED_MS = 2_000;
const SOON_MS = 200;
const OUTDATED_MS = 60_000;
const EVENTS = ["stream.online", "stream.offline", "stream.category", "gap"];

const query = new URLSearchParams(location.search);
query.delete("theme");
const events = new EventSource(`${document.body.dataset.events}?${query}`);
let timer = null;
let refreshedAt = Date.now();

async function refresh() {
  try {
    const response = await fetch(location.href);
    if (!response.ok) throw new Error(`status ${response.status}`);
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    document.querySelector("main").replaceWith(page.querySelector("main"));
    refreshedAt = Date.now();
  } catch {
    // The server does not answer. The next attempt follows; until then the list is what was known.
  }
  document.body.toggleAttribute("data-outdated", Date.now() - refreshedAt > OUTDATED_MS);
  const isPushed = events.readyState === EventSource.OPEN;
  refreshIn(isPushed || document.hidden ? PUSHED_MS : POLLED_MS);
}

function refreshIn(milliseconds) {
  clearTimeout(timer);
  timer = setTimeout(refresh, milliseconds);
}

for (const type of EVENTS) events.addEventListener(type, () => refreshIn(SOON_MS));
document.addEventListener("visibilitychange", () => refreshIn(SOON_MS));
refreshIn(POLLED_MS);

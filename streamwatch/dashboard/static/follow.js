// Keeps a page true while it is looked at: viewers at once, all else by asking the server for the
// page again and taking over its regions. Where the server has no place for another open stream of
// events, the page asks every few seconds instead.
const EVENTS = ["stream.online", "stream.offline", "stream.category", "stream.title", "gap"];
const POLL_MS = 10_000;
const RETRY_MS = 10_000;
const SOON_MS = 150;
const AT_MOST_EVERY_MS = 2_000;
const POINTS = 48;

const pulse = document.querySelector("[data-pulse]");
const { events: url, follow } = document.querySelector("main").dataset;
let source = null;
let polling = null;
let planned = null;
let refreshedAt = 0;

// Once, soon, for whatever happens until then.
export function refreshSoon() {
  planned ??= setTimeout(refresh, Math.max(SOON_MS, refreshedAt + AT_MOST_EVERY_MS - Date.now()));
}

export async function refresh() {
  clearTimeout(planned);
  planned = null;
  refreshedAt = Date.now();
  const asked = location.href;
  let answer;
  try {
    answer = await fetch(asked);
  } catch {
    return; // off line: the next event, or poll, asks again
  }
  if (answer.redirected && !answer.url.startsWith(asked)) location.reload(); // the session is over
  if (!answer.ok || location.href !== asked) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const region of document.querySelectorAll("[data-region]")) {
    const other = fresh.getElementById(region.id);
    if (!other) continue;
    if (region.dataset.region === "keyed") syncKeyed(region, other);
    else if (!region.matches(":focus-within")) replace(region, other);
  }
  document.dispatchEvent(new CustomEvent("refreshed", { detail: fresh }));
}

function replace(region, other) {
  const { value } = region;
  region.replaceChildren(...other.childNodes);
  if (region.localName === "select") region.value = value; // options that move choose themselves
}

// Items that are the same stay the same elements, with the focus if they have it.
function syncKeyed(list, fresh) {
  const old = new Map([...list.children].map((item) => [item.id, item]));
  let place = list.firstElementChild;
  for (const item of [...fresh.children]) {
    let kept = old.get(item.id);
    old.delete(item.id);
    if (kept && kept.dataset.key !== item.dataset.key) {
      const isPlace = kept === place;
      kept.replaceWith(item);
      kept = item;
      if (isPlace) place = item;
    }
    if (kept && kept !== item) takeViewers(kept, item);
    if (kept && kept === place) place = place.nextElementSibling;
    else list.insertBefore(kept ?? item, place);
  }
  for (const gone of old.values()) gone.remove();
}

function takeViewers(card, fresh) {
  if (card.dataset.viewers === fresh.dataset.viewers) return;
  card.dataset.viewers = fresh.dataset.viewers;
  card.querySelector(".audience").replaceWith(fresh.querySelector(".audience"));
}

function showViewers(snapshot) {
  for (const shown of document.querySelectorAll(`[data-viewers-of="${CSS.escape(snapshot.broadcaster_id)}"]`)) {
    shown.textContent = snapshot.viewer_count.toLocaleString("en");
  }
  const card = document.getElementById(`user-${snapshot.broadcaster_id}`);
  if (card) {
    addToTotal("viewers", snapshot.viewer_count - card.dataset.viewers);
    card.dataset.viewers = snapshot.viewer_count;
    const line = card.querySelector(".spark polyline");
    if (line) extend(line, snapshot.viewer_count);
  }
  if (follow === "viewers") refreshSoon();
}

function addToTotal(name, difference) {
  const total = document.querySelector(`[data-total="${name}"]`);
  if (total) total.textContent = (Number(total.textContent.replaceAll(",", "")) + difference).toLocaleString("en");
}

// One more point to a sparkline: one unit right, and up as a negative number.
function extend(line, viewers) {
  const values = [...line.getAttribute("points").split(" ").map((point) => -point.split(",")[1]), viewers].slice(-POINTS);
  const low = Math.min(...values);
  const room = Math.max(Math.max(...values) - low, 1);
  line.setAttribute("points", values.map((value, x) => `${x},${-value}`).join(" "));
  line.ownerSVGElement.setAttribute("viewBox", `0 ${-low - room * 1.1} ${values.length - 1} ${room * 1.2}`);
}

function showPulse(on) {
  pulse.textContent = on ? "Live" : "Polling";
  pulse.title = on ? "Changes show as they happen" : "Changes show every few seconds";
  pulse.classList.toggle("on", on);
}

function open() {
  source = new EventSource(url);
  source.addEventListener("open", () => { stopPolling(); showPulse(true); });
  source.addEventListener("stream.viewers", (event) => showViewers(JSON.parse(event.data)));
  for (const type of EVENTS) source.addEventListener(type, () => refreshSoon());
  source.addEventListener("error", () => {
    showPulse(false);
    startPolling();
    if (source.readyState !== EventSource.CLOSED) return; // it comes back by itself
    source = null;
    setTimeout(() => { if (!source && !document.hidden) open(); }, RETRY_MS);
  });
}

function startPolling() {
  polling ??= setInterval(refreshSoon, POLL_MS);
}

function stopPolling() {
  clearInterval(polling);
  polling = null;
}

if (url) {
  open();
  // A page that nobody looks at leaves its place to others.
  document.addEventListener("visibilitychange", () => {
    stopPolling();
    source?.close();
    source = null;
    if (document.hidden) return;
    open();
    refreshSoon();
  });
  addEventListener("pagehide", () => source?.close());
}

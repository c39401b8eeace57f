// Keeps an open page up to date: viewers at once, all else by loading the page again and replacing
// its regions. Where the server has no room for another stream of events, the page polls instead.
//
// A region is an element with an id and `data-region`: "keyed" lists keep the items that are the
// same, "shape" is replaced as a whole when its `data-shape` changes, "page" then loads the whole page
// again, others are replaced when they differ.
import { isConnected, probe } from "./connection.js";

const EVENTS = ["stream.online", "stream.offline", "stream.category", "stream.title", "channel.update", "gap"];
const POLL_MS = 10_000;
const RETRY_MS = 10_000;
const SOON_MS = 150;
const MIN_INTERVAL_MS = 700;
const SETTLED_MS = 500; // an event stream that ends sooner was refused
const SILENCE_MS = 15_000; // after so long without events, the server is probed
const WHOLE_MS = 60_000; // what no event reports, such as a stale worker
const FOLLOW_UPS_MS = [700, 2_500, 6_000, 15_000]; // the analytics follow an event a little later
const PAGE_TIMEOUT_MS = 30_000;
const POINTS = 40; // as CURVE_POINTS of the server

const pulse = document.querySelector("[data-pulse]");
const { events: url, follow, poll, position } = document.querySelector("main").dataset;
let after = position; // where the first connection begins: with what happened since the page was made
let source = null;
let polling = null;
let planned = null;
let refreshedAt = 0; // by `performance.now()`, which no correction of the clock changes
let silentSince = performance.now();
let isLoading = false;
let isDueAgain = false; // something happened while the page was loaded

// Refresh once, soon, for everything that happens until then.
function refreshSoon() {
  planned ??= setTimeout(refresh, Math.max(SOON_MS, refreshedAt + MIN_INTERVAL_MS - performance.now()));
}

// Refresh now, or, if the page is being loaded already, once that has ended.
export async function refresh() {
  clearTimeout(planned);
  planned = null;
  isDueAgain = isLoading;
  if (isLoading) return;
  isLoading = true;
  try {
    await load();
  } finally {
    isLoading = false;
    if (isDueAgain) refreshSoon();
  }
}

async function load() {
  refreshedAt = performance.now();
  const asked = location.href;
  let response, text;
  try {
    response = await fetch(asked, { signal: AbortSignal.timeout(PAGE_TIMEOUT_MS) });
    text = await response.text();
  } catch {
    probe();
    return;
  }
  if (response.redirected) { // the session is over
    location.reload();
    return;
  }
  if (!response.ok) {
    if (response.status >= 500) probe();
    return;
  }
  if (location.href !== asked) return;
  const fresh = new DOMParser().parseFromString(text, "text/html");
  document.title = fresh.title;
  for (const region of document.querySelectorAll("[data-region]")) {
    const other = fresh.getElementById(region.id);
    if (!other) continue;
    if (region.dataset.region === "keyed") syncKeyed(region, other);
    else if (region.dataset.region === "shape") replaceShape(region, other);
    else if (region.dataset.region === "page") reloadFor(region, other);
    else if (!region.matches(":focus-within") && !isEdited(region)) replace(region, other);
  }
  document.dispatchEvent(new CustomEvent("refreshed", { detail: fresh }));
}

// Whether the region has a text that was typed and not sent.
function isEdited(region) {
  return [...region.querySelectorAll("input, textarea")].some((field) => field.value !== field.defaultValue);
}

// An unchanged region is left alone: a screen reader announces a replaced status again.
function replace(region, other) {
  if (region.innerHTML === other.innerHTML) return;
  const { value } = region;
  const open = region.querySelector("details")?.open;
  const scrolled = [...region.querySelectorAll(".scroll")].map((area) => [area.scrollLeft, area.scrollTop]);
  region.replaceChildren(...other.childNodes);
  if (region.localName === "select") region.value = value; // options that move select themselves
  const details = region.querySelector("details");
  if (open && details) details.open = true;
  region.querySelectorAll(".scroll").forEach((area, number) => area.scrollTo(...(scrolled[number] ?? [0, 0])));
}

function reloadFor(region, other) {
  if (region.dataset.shape !== other.dataset.shape) location.reload();
}

function replaceShape(region, other) {
  if (region.dataset.shape === other.dataset.shape) return;
  region.dataset.shape = other.dataset.shape;
  region.replaceChildren(...other.childNodes);
}

// Items that are the same remain the same elements, and the item with the focus keeps it.
function syncKeyed(list, fresh) {
  const focused = [...list.children].find((item) => item.contains(document.activeElement));
  const old = new Map([...list.children].map((item) => [item.id, item]));
  const ids = new Set([...fresh.children].map((item) => item.id));
  // First of all: before an item that is gone, all that follow it would be moved.
  for (const [id, item] of old) if (!ids.has(id)) item.remove();
  let place = list.firstElementChild;
  for (const item of [...fresh.children]) {
    let present = old.get(item.id);
    if (present && present.dataset.key !== item.dataset.key) {
      const isPlace = present === place;
      present.replaceWith(item);
      present = item;
      if (isPlace) place = item;
    }
    if (present && present !== item) updateCard(present, item);
    if (present && present === place) place = place.nextElementSibling;
    else list.insertBefore(present ?? item, place);
  }
  // An element that is moved or replaced loses the focus.
  if (focused && !list.contains(document.activeElement)) {
    document.getElementById(focused.id)?.querySelector("a")?.focus({ preventScroll: true });
  }
}

function updateCard(card, fresh) {
  const image = card.querySelector(".preview img");
  const newer = fresh.querySelector(".preview img");
  if (image && newer && image.src !== newer.src) image.src = newer.src;
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

// Add a point to a sparkline: x is its number, y the negated value, as in filters.points.
function extend(line, viewers) {
  const values = [...line.getAttribute("points").split(" ").map((point) => -point.split(",")[1]), viewers].slice(-POINTS);
  const low = Math.min(...values);
  const room = Math.max(Math.max(...values) - low, 1);
  line.setAttribute("points", values.map((value, x) => `${x},${-value}`).join(" "));
  line.ownerSVGElement.setAttribute("viewBox", `0 ${-low - room * 1.1} ${values.length - 1} ${room * 1.2}`);
}

function showPulse(text, title, on = false) {
  if (pulse.textContent !== text) pulse.textContent = text; // each write is announced
  pulse.title = title;
  pulse.classList.toggle("on", on);
}

function showState() {
  if (!isConnected()) showPulse("Offline", "The server does not answer");
  else if (polling) showPulse("Polling", "Changes appear every few seconds");
  else showPulse("Live", "Changes appear as they happen", true);
}

function handle(event) {
  silentSince = performance.now();
  stopPolling();
  showState();
  if (event.type === "stream.viewers") {
    showViewers(JSON.parse(event.data));
    return;
  }
  refreshSoon();
  if (["stream.online", "stream.offline", "channel.update"].includes(event.type)) {
    for (const delay of FOLLOW_UPS_MS) setTimeout(refreshSoon, delay);
  }
}

function open() {
  const address = new URL(url, location);
  if (after) address.searchParams.set("after", after);
  after = null;
  const opened = source = new EventSource(address);
  opened.addEventListener("open", () => setTimeout(() => {
    if (opened.readyState !== EventSource.OPEN) return;
    silentSince = performance.now();
    stopPolling();
    if (isConnected()) showState();
    else probe();
  }, SETTLED_MS));
  for (const type of [...EVENTS, "stream.viewers"]) opened.addEventListener(type, handle);
  opened.addEventListener("error", async () => {
    if (source !== opened) return;
    const isUp = await probe();
    if (source !== opened) return; // the page was hidden or shown meanwhile
    if (isUp) startPolling();
    showState();
    if (opened.readyState !== EventSource.CLOSED) return; // it reconnects by itself
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

function close() {
  source?.close();
  source = null;
}

document.addEventListener("connectionlost", () => { if (url) showState(); });
document.addEventListener("connectionrestored", () => {
  if (url) showState();
  refreshSoon();
});

if (url) {
  open();
  setInterval(() => {
    if (document.hidden || polling || performance.now() - silentSince < SILENCE_MS) return;
    silentSince = performance.now();
    probe();
  }, 5_000);
  setInterval(() => { if (!document.hidden && isConnected()) refreshSoon(); }, WHOLE_MS);
  // A hidden page leaves its connection to others.
  document.addEventListener("visibilitychange", () => {
    stopPolling();
    close();
    if (document.hidden) return;
    open();
    refreshSoon();
  });
  addEventListener("pagehide", close);
}
if (poll) setInterval(() => { if (!document.hidden) refreshSoon(); }, Number(poll) * 1_000);

// Runs on every page: theme, time zone, clocks, filters and confirmations.
import { refresh } from "./follow.js";
import { isConnected, probe } from "./connection.js";
import "./search.js";

const root = document.documentElement;

const YEAR = 365 * 86_400;

function remember(name, value) {
  document.cookie = `${name}=${value}; path=/dashboard; max-age=${YEAR}; samesite=lax`;
}

// Times of the server's page are in the zone of a cookie. At the first visit there is none, and a
// traveller's is outdated: the page's times are then formatted here. Only a page with statistics by
// day is then fetched a second time, in the background: which day a stream counts on is decided by
// the server alone.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone && zone !== root.dataset.zone) {
  remember("timezone", zone);
  root.dataset.zone = zone;
  document.querySelector("[data-zone-name]").textContent = zone;
  for (const time of document.querySelectorAll("[data-moment]")) time.textContent = moment(new Date(time.dateTime));
  if ("zoned" in document.querySelector("main").dataset) refresh();
}

// 24 Nov 2026, 14:05: the same form as `filters.moment`.
function moment(date) {
  const parts = new Intl.DateTimeFormat("en-GB", { timeZone: zone, day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" }).formatToParts(date);
  const { day, month, year, hour, minute } = Object.fromEntries(parts.map(({ type, value }) => [type, value]));
  return `${day} ${month.slice(0, 3)} ${year}, ${hour}:${minute}`;
}

const THEMES = { auto: "light", light: "dark", dark: "auto" };
const themeSwitch = document.querySelector("[data-theme-switch]");
const otherTabs = new BroadcastChannel("streamwatch-theme");

function setTheme(theme) {
  root.dataset.theme = theme;
  themeSwitch.ariaLabel = themeSwitch.title = `Theme: ${theme}`;
  for (const meta of document.querySelectorAll("meta[name=theme-color]")) {
    const chosen = document.querySelector(`meta[name=theme-color][media*=${theme}]`) ?? meta;
    meta.content = chosen.dataset.background;
  }
  document.dispatchEvent(new Event("themechange"));
}
themeSwitch.addEventListener("click", () => {
  const theme = THEMES[root.dataset.theme];
  remember("theme", theme);
  setTheme(theme);
  otherTabs.postMessage(theme);
});
otherTabs.addEventListener("message", (event) => setTheme(event.data));

function clock(seconds) {
  const two = (number) => String(number).padStart(2, "0");
  return `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

function ago(seconds) {
  if (seconds < 60) return "just now";
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  return seconds < 2 * 86_400 ? `${Math.floor(seconds / 3600)} h ago` : `${Math.floor(seconds / 86_400)} days ago`;
}

const FORMATS = [["[data-uptime]", clock], ["[data-ago]", ago]];

// How far the browser's clock is ahead of the server's: ages are computed by the server's clock.
let ahead = Date.now() - Date.parse(root.dataset.now);
document.addEventListener("refreshed", (event) => {
  ahead = Date.now() - Date.parse(event.detail.documentElement.dataset.now);
});

// The visible times whose text has changed, with the new text. All are read before one is written: a
// write between two reads would make the browser compute the layout again for each.
function changed() {
  const found = [];
  for (const [selector, format] of FORMATS) {
    for (const time of document.querySelectorAll(selector)) {
      if (!time.checkVisibility({ contentVisibilityAuto: true })) continue;
      const text = format(Math.max(0, Math.floor((Date.now() - ahead - Date.parse(time.dateTime)) / 1000)));
      if (time.textContent !== text) found.push([time, text]);
    }
  }
  return found;
}

function tick() {
  if (!isConnected()) return; // without the server nobody knows whether a stream is still on
  for (const [time, text] of changed()) time.textContent = text;
}
setInterval(tick, 1000);

// Filters apply while they are chosen or typed; the server does the filtering.
const filters = document.querySelector("[data-filters]");
if (filters) {
  let typing;
  const apply = () => {
    const query = new URLSearchParams([...new FormData(filters)].filter(([, value]) => value));
    history.replaceState(null, "", query.size ? `?${query}` : location.pathname);
    clearTimeout(typing);
    typing = setTimeout(refresh, 150);
  };
  filters.addEventListener("input", apply);
  filters.addEventListener("submit", (event) => {
    event.preventDefault();
    if (event.submitter?.name === "view") setView(event.submitter);
    else apply();
  });
}

function setView(button) {
  for (const other of filters.querySelectorAll("[name=view]")) other.ariaPressed = String(other === button);
  document.getElementById("cards").dataset.view = button.value;
  remember("view", button.value);
}

// Forms ask before they remove, and are sent once, however often they are clicked. While the server does
// not answer they are not sent, since an error page would replace what was typed. Rows that are added
// later have forms too, hence one listener for all.
const SENT_MS = 10_000; // the form can be sent again if no page followed
const sent = new Set();
let checked = null; // the form that is submitted again, after the server has answered
document.addEventListener("submit", async (event) => {
  const { target: form, submitter } = event;
  if (event.defaultPrevented || form.method !== "post" || form === checked) return;
  event.preventDefault();
  if (sent.has(form) || (form.dataset.confirm && !confirm(form.dataset.confirm))) return;
  sent.add(form);
  if (await probe()) send(form, submitter);
  else sent.delete(form);
});

function send(form, submitter) {
  checked = form;
  form.requestSubmit(submitter); // runs the listener above before it returns
  checked = null;
  setTimeout(() => sent.delete(form), SENT_MS);
}
addEventListener("pageshow", () => sent.clear());

// A field that is not valid is shown: in closed details it would stop the form without a word.
document.addEventListener("invalid", (event) => {
  const details = event.target.closest("details");
  if (details) details.open = true;
}, true);

// While the next page loads, show that it does.
addEventListener("beforeunload", () => root.classList.add("loading"));
addEventListener("pageshow", () => root.classList.remove("loading"));

// An image that does not load leaves its place to the initials behind it.
addEventListener("error", (event) => {
  if (event.target.localName === "img") event.target.remove();
}, true);
for (const image of document.querySelectorAll("img")) {
  if (image.complete && image.currentSrc && !image.naturalWidth) image.remove(); // failed before this script
}

if ("serviceWorker" in navigator && isSecureContext) {
  navigator.serviceWorker.register("/dashboard/static/service-worker.js", { scope: "/dashboard/" }).catch(() => {});
}

// What every page does: times that go on, the theme, and regions that follow what happens.
import { refresh } from "./follow.js";

document.documentElement.classList.add("scripted");

const YEAR = 365 * 86_400;

function remember(name, value) {
  document.cookie = `${name}=${value}; path=/dashboard; max-age=${YEAR}; samesite=lax`;
}

// Times are the server's to write, in the visitor's zone: it is told once, and asked again.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone && zone !== document.documentElement.dataset.zone && !document.cookie.includes("timezone=")) {
  remember("timezone", zone);
  if (document.cookie.includes("timezone=")) location.reload();
}

const THEMES = { auto: "light", light: "dark", dark: "auto" };
const themeSwitch = document.querySelector("[data-theme-switch]");
themeSwitch.addEventListener("click", () => {
  const theme = THEMES[document.documentElement.dataset.theme];
  document.documentElement.dataset.theme = theme;
  themeSwitch.ariaLabel = themeSwitch.title = `Theme: ${theme}`;
  remember("theme", theme);
  document.dispatchEvent(new Event("themechange"));
});

function clock(seconds) {
  const two = (number) => String(number).padStart(2, "0");
  return `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

function ago(seconds) {
  if (seconds < 60) return "just now";
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  return seconds < 2 * 86_400 ? `${Math.floor(seconds / 3600)} h ago` : `${Math.floor(seconds / 86_400)} days ago`;
}

const FORMS = [["[data-uptime]", clock], ["[data-ago]", ago]];

function tick() {
  for (const [selector, form] of FORMS) {
    for (const time of document.querySelectorAll(selector)) {
      if (!time.checkVisibility({ contentVisibilityAuto: true })) continue;
      const text = form(Math.max(0, Math.floor((Date.now() - Date.parse(time.dateTime)) / 1000)));
      if (time.textContent !== text) time.textContent = text;
    }
  }
}
setInterval(tick, 1000);

// Filters apply as they are chosen or typed; the server does the filtering.
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
    apply();
  });
}

for (const form of document.querySelectorAll("[data-confirm]")) {
  form.addEventListener("submit", (event) => {
    if (!confirm(form.dataset.confirm)) event.preventDefault();
  });
}

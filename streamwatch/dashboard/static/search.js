// The search palette: opened by `/`, Ctrl-K or the button, it shows the results of the search page.
const palette = document.getElementById("palette");
const input = palette.querySelector("input");
const results = palette.querySelector("[data-results]");
const found = palette.querySelector("[data-found]");
const trigger = document.querySelector("[data-search]");
const form = palette.querySelector("form");
const TYPING_MS = 120;

let typing;
let latest = 0;

function show() {
  if (palette.open) return;
  palette.showModal();
  input.select();
  load();
}

// Show the results of the text as it is now; resolves to whether they are shown.
async function load() {
  clearTimeout(typing);
  const number = ++latest;
  const response = await fetch(`${form.action}?${new URLSearchParams({ q: input.value })}`).catch(() => null);
  if (!response?.ok || number !== latest) return false;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  results.replaceChildren(...(page.getElementById("results")?.childNodes ?? []));
  const count = results.querySelectorAll("a").length;
  found.textContent = count ? `${count} ${count === 1 ? "result" : "results"}` : results.textContent.trim();
  return true;
}

function move(step) {
  const links = [...results.querySelectorAll("a")];
  const at = links.indexOf(document.activeElement) + step;
  if (at < 0) input.focus();
  else links[Math.min(at, links.length - 1)]?.focus();
}

trigger.addEventListener("click", (event) => {
  event.preventDefault();
  show();
});
input.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(load, TYPING_MS);
});
// Enter opens the first result, or else the search page.
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const first = (await load()) && results.querySelector("a");
  if (first) first.click();
  else form.submit();
});
palette.addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  move(step);
});
palette.addEventListener("click", (event) => {
  if (event.target === palette) palette.close(); // the backdrop
});
document.addEventListener("keydown", (event) => {
  const isTyping = event.target.closest("input, textarea, select, [contenteditable]");
  const isShortcut = (event.key === "k" && (event.ctrlKey || event.metaKey)) || (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey);
  if (!isShortcut) return;
  event.preventDefault();
  show();
});

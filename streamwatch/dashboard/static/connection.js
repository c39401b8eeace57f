// Whether the server answers. While it does not, a banner says since when, the page is dimmed, and
// clocks stop (see `tick` in page.js).
const PROBE_URL = "/health/live";
const PROBE_TIMEOUT_MS = 4_000;
const RETRY_MS = 3_000;

const banner = document.getElementById("connection");
let lostAt = null;
let probing = null;
let retry;

export function isConnected() {
  return lostAt === null;
}

// Probe the server. Resolves to whether it answered.
export function probe() {
  probing ??= answers().then((ok) => {
    probing = null;
    if (ok) show();
    else lose();
    return ok;
  });
  return probing;
}

async function answers() {
  try {
    return (await fetch(PROBE_URL, { cache: "no-store", signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) })).ok;
  } catch {
    return false;
  }
}

function lose() {
  if (lostAt === null) {
    lostAt = new Date();
    const time = banner.querySelector("[data-lost-at]");
    time.dateTime = lostAt.toISOString();
    time.textContent = lostAt.toLocaleTimeString("en-GB", { timeZone: document.documentElement.dataset.zone });
    banner.hidden = false;
    document.documentElement.classList.add("disconnected");
    document.dispatchEvent(new Event("connectionlost"));
  }
  clearTimeout(retry);
  retry = setTimeout(probe, RETRY_MS);
}

function show() {
  if (lostAt === null) return;
  lostAt = null;
  banner.hidden = true;
  document.documentElement.classList.remove("disconnected");
  document.dispatchEvent(new Event("connectionrestored"));
}

banner.querySelector("[data-reconnect]").addEventListener("click", probe);
addEventListener("offline", probe);

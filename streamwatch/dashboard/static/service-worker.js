// Shows a page of its own while the server is not reachable. Everything else is left to the browser, also
// forms: after its own error page, Back leads to the form with what was typed.
const CACHE = "streamwatch-offline";
const PAGE = "/dashboard/static/offline";

async function store() {
  const cache = await caches.open(CACHE);
  const page = await fetch(PAGE);
  if (!page.ok) return;
  const text = await page.clone().text();
  const assets = [...text.matchAll(/(?:href|src)="(\/dashboard\/static\/[^"]+)"/g)].map((match) => match[1]);
  await cache.addAll(assets);
  await cache.put(PAGE, page);
}

self.addEventListener("install", (event) => {
  event.waitUntil(store());
  self.skipWaiting();
});
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.mode === "navigate" && request.method === "GET") {
    event.respondWith(fetch(request).catch(async () => (await caches.match(PAGE)) ?? Response.error()));
  } else if (new URL(request.url).pathname.startsWith("/dashboard/static/")) {
    event.respondWith(caches.match(request).then((cached) => cached ?? fetch(request)));
  }
});

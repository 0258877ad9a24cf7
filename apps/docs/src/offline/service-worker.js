// Caches the files of this site, so that it works offline after the first visit, and adds the headers of cross-origin
// isolation from the next navigation on, so that threads may share memory. The build fills in the names in capitals.
/* global caches, clients, Headers, Response, FILES -- globals of a service worker */
const version = "VERSION";
const files = FILES;

const isolated = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "cross-origin-resource-policy": "same-origin",
};
// Content security policy of live code's worker: only files of this site.
const workerPolicy =
  "default-src 'self' blob: data:; script-src 'self' blob: 'wasm-unsafe-eval'; connect-src 'self' blob: data:; worker-src 'self' blob:";

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) =>
  event.waitUntil(
    (async () => {
      for (const name of await caches.keys())
        if (name.startsWith("qkv-") && name !== `qkv-${version}`) await caches.delete(name);
      await clients.claim();
    })(),
  ),
);

// A page requests this when idle; files are fetched one by one, and failed ones are retried on the next visit.
self.addEventListener("message", (event) => {
  if (event.data !== "keep") return;
  event.waitUntil(
    (async () => {
      const cache = await caches.open(`qkv-${version}`);
      for (const file of files) {
        const url = new URL(file, self.registration.scope).href;
        if (await cache.match(url)) continue;
        const response = await fetch(url).catch(() => undefined);
        if (response?.ok) await cache.put(url, response);
      }
      event.source?.postMessage("kept");
    })(),
  );
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || !request.url.startsWith(self.registration.scope)) return;
  event.respondWith(answer(request));
});

async function answer(request) {
  const cache = await caches.open(`qkv-${version}`);
  const url = request.url.replace(/[?#].*$/, "");
  // Files with a hash in their name are immutable; pages are not.
  const fixed = /[.-][0-9a-zA-Z]{8}\.(js|css|json|wasm|woff2?)$/.test(url);
  const cached = fixed ? await cache.match(url) : undefined;
  if (cached) return marked(cached, request);
  try {
    const response = await fetch(request);
    if (response.ok && response.status === 200) await cache.put(url, response.clone());
    return marked(response, request);
  } catch (error) {
    const old =
      (await cache.match(url)) ?? (request.mode === "navigate" ? await cache.match(`${url}/`) : undefined);
    if (old) return marked(old, request);
    throw error;
  }
}

function marked(response, request) {
  if (response.type === "opaque" || response.status === 0) return response;
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(isolated)) headers.set(name, value);
  if (request.destination === "worker") headers.set("content-security-policy", workerPolicy);
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}

/** What code from a link could use to keep something in this browser, or to talk to other tabs. */
export const removed = ["indexedDB", "caches", "BroadcastChannel", "importScripts"] as const;
/** Ways to a network beside `fetch`, which is kept and watched. */
export const doors = [
  "XMLHttpRequest",
  "WebSocket",
  "WebSocketStream",
  "EventSource",
  "WebTransport",
] as const;

/**
 * Takes from a worker what live code has no use for, before any of it runs: stores that outlive the page, channels to
 * other tabs, and every way to a network but `fetch`, which is left for the site's own files.
 *
 * @param site - The address that the site lies at; only what is below it can be fetched.
 */
export function harden(scope: typeof globalThis, site: string): void {
  for (const name of [...removed, ...doors]) {
    for (let holder: object | null = scope; holder; holder = Object.getPrototypeOf(holder) as object | null) {
      Reflect.deleteProperty(holder, name);
    }
  }
  const original = scope.fetch;
  const watched = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    const request = new Request(input, init);
    const { protocol } = new URL(request.url);
    const own = request.url.startsWith(site) || protocol === "data:" || protocol === "blob:";
    if (!own)
      throw new TypeError(
        `fetch: this page fetches its own files only, below ${site}. Asked: ${request.url}`,
      );
    return original.call(scope, request);
  };
  Object.defineProperty(scope, "fetch", { value: watched, writable: false, configurable: false });
}

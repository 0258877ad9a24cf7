import {
  apply,
  defineProperty,
  deleteProperty,
  getPrototypeOf,
  startsWith,
  uncurryGetter,
} from "./primordials";

/** Globals with which code from a link could keep something in this browser, or talk to other tabs. */
export const removed = [
  "indexedDB",
  "caches",
  "BroadcastChannel",
  "importScripts",
  "webkitRequestFileSystem",
  "webkitRequestFileSystemSync",
  "webkitResolveLocalFileSystemURL",
  "webkitResolveLocalFileSystemSyncURL",
] as const;
/** Ways to a network beside `fetch`, which is kept and watched. A font is fetched from any address. */
export const doors = [
  "XMLHttpRequest",
  "WebSocket",
  "WebSocketStream",
  "EventSource",
  "WebTransport",
  "FontFace",
] as const;
/** The way to the page itself: messages go through a gate that counts them. */
export const unbounded = ["postMessage"] as const;
/** Of `navigator`: locks are shared with other tabs, and service workers outlive them. */
export const ofNavigator = ["locks", "serviceWorker"] as const;

const OwnRequest = Request;
const OwnTypeError = TypeError;
const urlOf = uncurryGetter(Request.prototype, "url");

/**
 * Takes from a worker what live code has no use for, before any of it runs: stores that outlive the page, channels to
 * other tabs, messages to the page that nobody counts, and every way to a network but `fetch`, which is left for the
 * site's own files. Code that replaces functions of the language does not reach the one that was.
 *
 * @param site - The address that the site lies at; only what is below it can be fetched.
 */
export function harden(scope: typeof globalThis, site: string): void {
  for (const name of [...removed, ...doors, ...unbounded]) remove(scope, name);
  for (const name of ofNavigator) if (scope.navigator) remove(scope.navigator, name);
  const original = scope.fetch;
  const watched = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    const request = new OwnRequest(input, init);
    const url = urlOf(request);
    if (startsWith(url, site) || startsWith(url, "data:") || startsWith(url, "blob:"))
      return apply(original, scope, [request]) as Promise<Response>;
    throw new OwnTypeError(`fetch: this page fetches its own files only, below ${site}. Asked: ${url}`);
  };
  defineProperty(scope, "fetch", { value: watched, writable: false, configurable: false });
}

function remove(object: object, name: string): void {
  for (let holder: object | null = object; holder; holder = getPrototypeOf(holder))
    deleteProperty(holder, name);
}

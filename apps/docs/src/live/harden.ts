import {
  apply,
  defineProperty,
  deleteProperty,
  getPrototypeOf,
  startsWith,
  uncurryGetter,
} from "./primordials";

/** Globals with which code from a link could store data in this browser, or communicate with other tabs. */
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
/** Network access other than `fetch`, which is wrapped. Fonts load from any URL. */
export const doors = [
  "XMLHttpRequest",
  "WebSocket",
  "WebSocketStream",
  "EventSource",
  "WebTransport",
  "FontFace",
] as const;
/** Direct messages to the page: messages go through a gate that limits them. */
export const unbounded = ["postMessage"] as const;
/** Properties of `navigator`: locks are shared with other tabs, and service workers outlive them. */
export const ofNavigator = ["locks", "serviceWorker"] as const;

const OwnRequest = Request;
const OwnTypeError = TypeError;
const urlOf = uncurryGetter(Request.prototype, "url");

/**
 * Removes from a worker, before any live code runs, the APIs that it must not use: storage that outlives the page, channels to
 * other tabs, unlimited messages to the page, and all network access except `fetch`, which is restricted to the site's own
 * files. Code that replaces built-in functions does not get the original ones.
 *
 * @param site - Base URL of the site; only URLs below it can be fetched.
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

// Docusaurus prefetches each link that comes into view, and looks through all routes for each of them: a second of work on
// a phone for a page of many links. The service worker keeps the whole site after the first visit, and a link that is
// pointed at is still preloaded.
type Docusaurus = { prefetch(path: string): unknown; preload(path: string): unknown };

if (typeof window !== "undefined") {
  let current: Docusaurus | undefined;
  Object.defineProperty(window, "docusaurus", {
    configurable: true,
    get: () => current,
    set(own: Docusaurus) {
      current = { ...own, prefetch: () => false };
    },
  });
}

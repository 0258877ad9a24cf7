// Disables prefetching. Docusaurus prefetches each link that comes into view, and searches all routes for each: a
// second of work on a phone for a page with many links. The service worker caches the whole site after the first visit,
// and links under the pointer are still preloaded.
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

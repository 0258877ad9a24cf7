/** The Cache API in memory, as far as model stores use it. All caches share `entries`, responses by URL. */
export function memoryCaches(): CacheStorage & { entries: Map<string, Response> } {
  const entries = new Map<string, Response>();
  const absoluteUrl = (request: RequestInfo | URL) => new Request(request).url;
  const withoutQuery = (url: string) => url.replace(/\?.*$/, "");
  const cache = {
    match: async (request: RequestInfo | URL) => entries.get(absoluteUrl(request))?.clone(),
    put: async (request: RequestInfo | URL, response: Response) =>
      void entries.set(absoluteUrl(request), response),
    delete: async (request: RequestInfo | URL) => entries.delete(absoluteUrl(request)),
    keys: async (request?: RequestInfo | URL, { ignoreSearch = false }: CacheQueryOptions = {}) =>
      [...entries.keys()]
        .filter((url) => {
          if (request === undefined) return true;
          return ignoreSearch
            ? withoutQuery(url) === withoutQuery(absoluteUrl(request))
            : url === absoluteUrl(request);
        })
        .map((url) => new Request(url)),
  };
  return { entries, open: async () => cache } as unknown as CacheStorage & { entries: Map<string, Response> };
}

/** Caches in memory, with the part of the Cache API that a store of models uses, and their entries by address. */
export function memoryCaches(): CacheStorage & { entries: Map<string, Response> } {
  const entries = new Map<string, Response>();
  const keyOf = (request: RequestInfo | URL) => new Request(request).url;
  const withoutQuery = (url: string) => url.replace(/\?.*$/, "");
  const cache = {
    match: async (request: RequestInfo | URL) => entries.get(keyOf(request))?.clone(),
    put: async (request: RequestInfo | URL, response: Response) => void entries.set(keyOf(request), response),
    delete: async (request: RequestInfo | URL) => entries.delete(keyOf(request)),
    keys: async (request?: RequestInfo | URL, { ignoreSearch = false }: CacheQueryOptions = {}) =>
      [...entries.keys()]
        .filter((url) => {
          if (request === undefined) return true;
          return ignoreSearch ? withoutQuery(url) === withoutQuery(keyOf(request)) : url === keyOf(request);
        })
        .map((url) => new Request(url)),
  };
  return { entries, open: async () => cache } as unknown as CacheStorage & { entries: Map<string, Response> };
}

// A local HTTP server for tests, benchmark pages and the site's checks.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";

const gzipped = promisify(gzip);

/** Opens a server on localhost, by default on a free port. */
export async function openServer(answer, { port = 0, ...options } = {}) {
  const server = createServer(options, answer);
  await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const types = {
  ".css": "text/css",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".json": "application/json",
  ".mjs": "text/javascript",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
  ".woff2": "font/woff2",
};

/** Headers of cross-origin isolation, which SharedArrayBuffer requires. */
export const isolation = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/**
 * Serves the files of a folder under a path, as a plain static host does, with the content type and the given headers. With
 * `compress`, text is gzipped for clients that accept it. Pages run the code `firstScript` before their own.
 */
export function staticFiles(folder, { base = "/", headers = {}, compress = false, firstScript } = {}) {
  return async (request, response) => {
    const path = decodeURIComponent(new URL(request.url, "http://localhost").pathname);
    if (!path.startsWith(base)) return void response.writeHead(404, headers).end();
    const inside = normalize(`/${path.slice(base.length)}`);
    const file = join(folder, inside, inside.endsWith("/") ? "index.html" : "");
    try {
      const stored = await readFile(file);
      const body =
        firstScript && extname(file) === ".html"
          ? String(stored).replace(/<head[^>]*>/, (head) => `${head}<script>${firstScript}</script>`)
          : stored;
      const type = types[extname(file)] ?? "application/octet-stream";
      const zip =
        compress && /text|json|svg/.test(type) && /\bgzip\b/.test(request.headers["accept-encoding"] ?? "");
      const encoding = zip ? { "Content-Encoding": "gzip" } : {};
      response
        .writeHead(200, { ...headers, ...encoding, "Content-Type": type })
        .end(zip ? await gzipped(body) : body);
    } catch {
      response.writeHead(404, headers).end();
    }
  };
}

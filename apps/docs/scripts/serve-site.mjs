// Serves the built site at its base path, as a plain static host does.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { openServer, staticFiles } from "../../../scripts/server.mjs";

/**
 * Starts a server on a free port, or on PORT. `address` is that of the front page, with a trailing slash.
 *
 * @param {string} build - Folder of the built site.
 * @param {object} [options]
 * @param {boolean} [options.compress] - Gzips text for clients that accept it, as static hosts do. Default: false.
 * @param {string} [options.firstScript] - A script to run in each page before its own. Default: none.
 */
export async function serveSite(build, { compress = false, firstScript } = {}) {
  const front = readFileSync(join(build, "index.html"), "utf8");
  const base = /href="?(\/[^"\s>]*?)assets\/css\//.exec(front)?.[1];
  if (!base) throw new Error("apps/docs/build/index.html names no style sheet: build the site first.");
  const server = await openServer(staticFiles(build, { base, compress, firstScript }), {
    port: Number(process.env.PORT ?? 0),
  });
  return { ...server, address: server.origin + base };
}

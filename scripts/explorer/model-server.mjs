// Serves the explorer's page with the files of a model, as the command `qkv lens` does.
import { readFileSync, statSync } from "node:fs";
import { join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { isolation, openServer, staticFiles } from "../server.mjs";

const page = fileURLToPath(new URL("../../apps/explorer/dist/", import.meta.url));

/**
 * @param {string} folder - The model's files.
 * @param {{ isolated?: boolean }} [options] - `isolated`: sends the headers of cross-origin isolation, which SharedArrayBuffer requires. Default true.
 */
export function openModelServer(folder, { isolated = true } = {}) {
  const headers = isolated ? isolation : {};
  const files = staticFiles(page, { headers });
  return openServer((request, response) => {
    const path = new URL(request.url, "http://localhost").pathname;
    if (path === "/model.json") {
      response.writeHead(200, { ...headers, "Content-Type": "application/json" });
      return response.end(JSON.stringify({ name: "the model of the checks", file: "model/" }));
    }
    if (!path.startsWith("/model/")) return files(request, response);
    const file = join(folder, normalize(path.slice("/model".length)));
    if (!statSync(file, { throwIfNoEntry: false })?.isFile()) return response.writeHead(404, headers).end();
    const whole = readFileSync(file);
    const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "") ?? [];
    const from = Number(first ?? 0);
    const body = first === undefined ? whole : whole.subarray(from, last ? Number(last) + 1 : whole.length);
    const range = first !== undefined && {
      "Content-Range": `bytes ${from}-${from + body.length - 1}/${whole.length}`,
    };
    response
      .writeHead(range ? 206 : 200, {
        ...headers,
        ...{ "Accept-Ranges": "bytes", "Content-Length": body.length },
        ...range,
      })
      .end(body);
  });
}

import type { IncomingMessage, ServerResponse } from "node:http";
import { openServer } from "../../../scripts/server.mjs";

/** A server of files with range requests and ETags. */
export type FileServer = {
  /** Its origin: `http://localhost:PORT`. */
  readonly site: string;
  /** Requests in order: `GET /model/config.json bytes=0-65535`. */
  readonly requests: string[];
  close(): Promise<void>;
};

/**
 * Serves files from memory.
 *
 * @param files - Contents by path: `/model/config.json`.
 * @param answer - Called first with each request; returns true if it has sent the response itself.
 */
export async function serveFiles(
  files: Readonly<Record<string, Uint8Array>>,
  answer: (request: IncomingMessage, response: ServerResponse) => boolean = () => false,
): Promise<FileServer> {
  const requests: string[] = [];
  const { origin, close } = await openServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url!, "http://localhost").pathname);
    requests.push(`${request.method} ${path} ${request.headers.range ?? ""}`.trim());
    if (answer(request, response)) return;
    const bytes = files[path];
    // The header with which the Hugging Face hub reports a missing file.
    if (!bytes) return void response.writeHead(404, { "X-Error-Code": "EntryNotFound" }).end();
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [];
    response.setHeader("ETag", '"one"');
    if (first === undefined) return void response.end(bytes);
    const end = Math.min(Number(last) + 1, bytes.length);
    if (Number(first) >= bytes.length) return void response.writeHead(416).end();
    response.writeHead(206, { "Content-Range": `bytes ${first}-${end - 1}/${bytes.length}` });
    response.end(bytes.subarray(Number(first), end));
  });
  return { site: origin, requests, close };
}

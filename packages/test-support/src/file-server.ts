import type { IncomingMessage, ServerResponse } from "node:http";
import { openServer } from "../../../scripts/server.mjs";

/** A server of files, by their paths, that gives ranges as a file host does. */
export type FileServer = {
  readonly site: string;
  /** Requests as they came: `GET /model/config.json bytes=0-65535`. */
  readonly requests: string[];
  close(): Promise<void>;
};

/**
 * Serves files. `answer` may take a request over: it answers it and returns true.
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
    // The hub tells so that there is no such file.
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

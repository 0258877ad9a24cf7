import { stat } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import sirv from "sirv";

/** A model to serve: its display name, and a path of a folder or file, or files in memory. */
export type ServedModel = { readonly name: string; readonly source: string | readonly File[] };

export type ExplorerServer = { readonly address: string; close(): Promise<void> };

/** Headers for cross-origin isolation, which `SharedArrayBuffer` requires. */
const isolation = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

declare const __filename: string | undefined;

/** Folder of the explorer's page in this package. */
const pageFolder = (): string =>
  fileURLToPath(
    new URL("explorer/", typeof __filename === "string" ? new URL(`file:${__filename}`) : import.meta.url),
  );

/**
 * Serves the explorer and a model on localhost only.
 *
 * @param port - Port; 0 for a free one.
 */
export async function openExplorerServer(
  { name, source }: ServedModel,
  port: number,
): Promise<ExplorerServer> {
  const model = typeof source === "string" ? await onDisk(source) : inMemory(source);
  const page = sirv(pageFolder(), { dev: true });
  const server = createServer((request, response) => {
    for (const [header, value] of Object.entries(isolation)) response.setHeader(header, value);
    const address = `http://${request.headers.host ?? ""}${request.url ?? "/"}`;
    if (!URL.canParse(address)) return void response.writeHead(400).end();
    const { hostname, pathname: path } = new URL(address);
    // Refuses other host names, which protects against DNS rebinding.
    if (hostname !== "127.0.0.1" && hostname !== "localhost") return void response.writeHead(403).end();
    if (path === "/model.json") {
      response.setHeader("Content-Type", "application/json");
      return void response.end(JSON.stringify({ name, file: model.file }));
    }
    if (!path.startsWith("/model/")) return page(request, response, () => missing(response));
    request.url = path.slice("/model".length);
    model.serve(request, response);
  });
  await new Promise<void>((done, fail) => {
    server.once("error", fail);
    server.listen(port, "127.0.0.1", done);
  });
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async close() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

type Served = {
  /** Path of the model below the URL of the page. */
  readonly file: string;
  serve(request: IncomingMessage, response: ServerResponse): void;
};

const missing = (response: ServerResponse): void => void response.writeHead(404).end();

/** A folder, or one file of a folder. */
async function onDisk(path: string): Promise<Served> {
  const isFolder = (await stat(path)).isDirectory();
  const full = resolve(path);
  const name = isFolder ? "" : encodeURIComponent(basename(full));
  const files = sirv(isFolder ? full : dirname(full), { dev: true, dotfiles: false });
  return {
    file: `model/${name}`,
    serve(request, response) {
      if (!isFolder && request.url !== `/${name}`) return missing(response);
      files(request, response, () => missing(response));
    },
  };
}

function inMemory(files: readonly File[]): Served {
  return {
    file: "model/",
    serve(request, response) {
      const file = files.find(({ name }) => `/${name}` === request.url);
      if (!file) return missing(response);
      void file.arrayBuffer().then((bytes) => response.end(new Uint8Array(bytes)));
    },
  };
}

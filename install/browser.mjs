// Chromium, and what serves a project's files to it.
import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { openChromium } from "../scripts/chromium.mjs";

const types = {
  ".css": "text/css",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".json": "application/json",
  ".wasm": "application/wasm",
};
let running;

/**
 * Opens a page and waits for the line in which it says which problems its examples found.
 *
 * @param {string} url
 * @returns {Promise<string>} That line, or what went wrong before it.
 */
export async function openPage(url) {
  running ??= await openChromium();
  const page = await running.newPage();
  const said = [];
  try {
    return await new Promise((resolve) => {
      const end = (line) => {
        said.push(line);
        clearTimeout(slow);
        resolve(said.join("\n"));
      };
      const slow = setTimeout(() => end("The page did not end in five minutes."), 300_000);
      page.on("console", (message) => {
        const text = message.text();
        if (text.startsWith("problems: ")) end(text);
        else if (message.type() === "error") said.push(text);
      });
      page.on("response", (response) => {
        if (!response.ok()) said.push(`${response.status()} ${response.url()}`);
      });
      page.on("pageerror", ({ name, message, stack }) => end(`${name}: ${message}\n${stack}`));
      page.goto(url).catch((error) => end(error.message));
    });
  } finally {
    await page.close();
  }
}

export async function closeBrowser() {
  await running?.close();
}

/** What makes a page cross-origin isolated, so that its workers share memory. */
export const isolation = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/**
 * Serves a folder while `use(url)` runs, to isolated pages.
 *
 * @template T
 * @param {string} folder
 * @param {(url: string) => Promise<T>} use
 * @returns {Promise<T>}
 */
export async function serving(folder, use) {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://x");
    const path = join(folder, normalize(decodeURIComponent(pathname)));
    const file = statSync(path, { throwIfNoEntry: false });
    if (!file?.isFile()) {
      response.writeHead(404).end();
      return;
    }
    const type = types[extname(path)] ?? "application/octet-stream";
    response.writeHead(200, { "Content-Type": type, ...isolation });
    createReadStream(path).pipe(response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    return await use(`http://127.0.0.1:${server.address().port}/`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

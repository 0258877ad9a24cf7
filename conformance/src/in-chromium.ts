import { ArgumentError } from "@qkv/core";
import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromiumPath, noChromium, openChromium } from "../../scripts/chromium.mjs";
import { openServer } from "../../scripts/server.mjs";
import { dataFolder, type DataFolder } from "../data-folder.mjs";
import { elsewhere } from "./families.js";
import { js } from "@qkv/tensor";
import { familiesOf, runConformance, type FamilyResult } from "./run.js";

const inBrowser = /^(webgpu.*),browser(?=,|$)/;

/** True for a device that only exists in pages, or is requested in one. */
export const needsChromium = (spec: string): boolean =>
  /^gpu:web(gl2|gpu)$/.test(spec) || inBrowser.test(spec);

/**
 * Runs the cases on a device in a page of Chromium. Families that compute nothing on a device (tokenizers, costs) run in this
 * process, as for the plain device.
 *
 * @returns The results, and the name of the page's renderer.
 */
export async function runInChromium(
  spec: string,
  options: { dataDir: string; only: readonly string[]; onFamily(result: FamilyResult): void },
): Promise<{ results: FamilyResult[]; renderer: string }> {
  if (!chromiumPath) {
    throw new ArgumentError({
      fn: "conformance",
      argument: "--device",
      received: spec,
      expected: "a Chromium to run it in",
      fix: noChromium,
    });
  }
  const { dataDir, only, onFamily } = options;
  const results: FamilyResult[] = [];
  const take = (result: FamilyResult) => {
    results.push(result);
    onFamily(result);
  };
  const wanted = (name: string) => only.length === 0 || only.includes(name);
  const later = familiesOf(dataDir, elsewhere).filter(wanted);
  const inPage = familiesOf(dataDir).filter((name) => wanted(name) && !later.includes(name));
  // Refuses unknown names before it starts a browser.
  for (const name of only) if (!inPage.includes(name)) later.push(...(later.includes(name) ? [] : [name]));
  let renderer = "";
  if (inPage.length > 0) {
    const page = await openPage(dataDir);
    try {
      await page.tab.exposeFunction("familyDone", take);
      renderer = await page.tab.evaluate(([spec, only]) => globalThis.runInPage(spec, only), [
        spec.replace(inBrowser, "$1"),
        inPage,
      ] as const);
    } finally {
      await page.close();
    }
  }
  if (later.length > 0) {
    await runConformance({ device: js(), class: "host" }, { dataDir, only: later, onFamily: take });
  }
  return { results, renderer };
}

async function openPage(dataDir: string) {
  const data = dataFolder(dataDir);
  const script = await bundle();
  const server = await openServer((request, response) => serve(request, response, data, script));
  const browser = await openChromium();
  const tab = await browser.newPage();
  const close = async () => {
    await browser.close();
    await server.close();
  };
  const broken = new Promise<never>((_, reject) => tab.once("pageerror", reject));
  broken.catch(() => undefined);
  try {
    await tab.goto(`${server.origin}/`);
    await Promise.race([broken, tab.waitForFunction("globalThis.runInPage !== undefined")]);
  } catch (error) {
    await close();
    throw error;
  }
  return { tab, close };
}

/** The page's script: the families, with replacements for Node's modules. */
async function bundle(): Promise<string> {
  const { build } = await import("esbuild");
  const built = fileURLToPath(new URL("./", import.meta.url));
  const { outputFiles } = await build({
    entryPoints: [join(built, "page.js")],
    bundle: true,
    format: "esm",
    platform: "browser",
    write: false,
    // Bundles the built packages, not the sources in the project's `paths`.
    tsconfigRaw: {},
    logLevel: "error",
    alias: Object.fromEntries(
      ["fs", "path", "module", "url", "zlib"].flatMap((name) =>
        [name, `node:${name}`].map((one) => [one, join(built, "node.js")]),
      ),
    ),
  });
  return outputFiles[0]!.text;
}

const page = '<!doctype html><title>conformance</title><script type="module" src="/page.js"></script>';

/** Serves the page's script, and files of the data and of packages, which `page/node.ts` requests. */
function serve(request: IncomingMessage, response: ServerResponse, data: DataFolder, script: string): void {
  const { pathname, search } = new URL(request.url ?? "/", "http://localhost");
  const requestedPath = decodeURIComponent(search.slice(1)).replace(/^https?:\/\/[^/]*/, "");
  const answer = (status: number, type: string, body: string | Uint8Array) =>
    void response.writeHead(status, { "Content-Type": type }).end(body);
  const nameOf = (path: string) => path.replace(/^\/data\/?/, "");
  if (pathname === "/") return answer(200, "text/html; charset=utf-8", page);
  if (pathname === "/page.js") return answer(200, "text/javascript; charset=utf-8", script);
  if (pathname === "/exists") return answer(200, "text/plain", String(data.has(nameOf(requestedPath))));
  if (pathname === "/list") {
    const folders = new Set(data.folders(nameOf(requestedPath)));
    const entries = data.names(nameOf(requestedPath)).map((name) => ({ name, folder: folders.has(name) }));
    return answer(200, "application/json", JSON.stringify(entries));
  }
  if (pathname === "/resolve") {
    try {
      return answer(200, "text/plain", `/package${createRequire(import.meta.url).resolve(requestedPath)}`);
    } catch {
      return answer(404, "text/plain", "");
    }
  }
  let bytes: Uint8Array;
  try {
    const path = decodeURIComponent(pathname);
    bytes = path.startsWith("/package/")
      ? readFileSync(path.slice("/package".length))
      : data.bytes(nameOf(path));
  } catch {
    return answer(404, "text/plain", "");
  }
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
  if (!range) return answer(200, "application/octet-stream", bytes);
  const [start, end] = [Number(range[1]), Math.min(Number(range[2]), bytes.length - 1)];
  response.setHeader("Content-Range", `bytes ${start}-${end}/${bytes.length}`);
  return answer(206, "application/octet-stream", bytes.subarray(start, end + 1));
}

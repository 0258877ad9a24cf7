// A page that is killed while it stores a model: the next page resumes the download, and a corrupt file is reported.
import { decoder, load, type StoredModel } from "@qkv/transformer";
import { exportModel } from "@qkv/transformer/export";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, BrowserContext, Page } from "playwright";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chromiumPath, noChromium, openChromium } from "../scripts/chromium.mjs";
import { openServer, staticFiles, type LocalServer } from "../scripts/server.mjs";

const browserFiles = fileURLToPath(new URL("../packages/cli/dist/browser/", import.meta.url));
const root = mkdtempSync(join(tmpdir(), "qkv-model-store-"));
const folder = join(root, "model");
const commit = "0123456789abcdef0123456789abcdef01234567";
const pieceSize = 2 ** 23;

const config = {
  ...{ vocabSize: 9000, embedDim: 512, hiddenDim: 64, numLayers: 1, numHeads: 2, numKvHeads: 1 },
  ...{ contextLength: 32, normEps: 1e-5, stopIds: [0] },
};

/** Logits of the model loaded from disk. */
async function logits(): Promise<number[]> {
  const model = await load(folder);
  return Array.from(model.apply(model.params, [1, 2, 3]).data).slice(0, 50);
}

let files: Record<string, Buffer>;
let requests: string[] = [];
/** Bytes of the weights after which the server stalls. */
let most = Infinity;
let isDamaged = false;

const digest = (algorithm: string, ...parts: (string | Buffer)[]) =>
  parts.reduce((hash, part) => hash.update(part), createHash(algorithm)).digest("hex");

type Loaded = { logits?: number[]; error?: string; seen: number[] };

const html = `<!doctype html><script type="module">
import { load, modelStore } from "/qkv.js";

Object.assign(globalThis, { modelStore });
globalThis.loadTiny = async (options) => {
  const seen = [];
  const onProgress = ({ source, loaded }) => source.endsWith(".safetensors") && seen.push(loaded);
  try {
    const model = await load("owner/tiny", { store: modelStore(options), hub: { url: location.origin }, onProgress });
    return { logits: Array.from(model.apply(model.params, [1, 2, 3]).data).slice(0, 50), seen };
  } catch (error) {
    return { error: error.message, seen };
  }
};
</script>`;

/** The list of a repository's files, in the format of the hub. */
const listing = () => ({
  sha: commit,
  siblings: Object.entries(files).map(([rfilename, bytes]) => ({
    rfilename,
    size: bytes.length,
    blobId: digest("sha1", `blob ${bytes.length}\0`, bytes),
    ...(rfilename.endsWith(".safetensors") && { lfs: { sha256: digest("sha256", bytes) } }),
  })),
});

function answerFile(name: string, range: string, response: ServerResponse): void {
  const whole = files[name];
  if (!whole) return void response.writeHead(404).end();
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range)!.map(Number) as [number, number, number];
  const end = Math.min(last + 1, whole.length);
  response.writeHead(206, {
    "Content-Range": `bytes ${first}-${end - 1}/${whole.length}`,
    "Content-Length": end - first,
  });
  const bytes = Buffer.from(whole.subarray(first, Math.min(end, most)));
  if (isDamaged && name.endsWith(".safetensors") && end === whole.length) bytes[bytes.length - 1]! ^= 1;
  if (most >= end) response.end(bytes);
  else response.write(bytes);
}

describe("in Chromium", () => {
  let server: LocalServer;
  let browser: Browser;
  let context: BrowserContext;

  beforeAll(async () => {
    if (!chromiumPath) return;
    await exportModel({ config, params: decoder(config).init(1) }, { to: "hf", out: folder });
    files = Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]));
    const others = staticFiles(browserFiles);
    server = await openServer((request, response) => {
      const { pathname } = new URL(request.url!, "http://localhost");
      const [, name] = /^\/owner\/tiny\/resolve\/[0-9a-f]{40}\/(.*)$/.exec(pathname) ?? [];
      const isList = pathname === "/api/models/owner/tiny/revision/main";
      if (name || isList) requests.push(`${name ?? "list"} ${request.headers.range ?? ""}`.trim());
      if (pathname === "/") return void response.writeHead(200, { "Content-Type": "text/html" }).end(html);
      if (isList) return void response.end(JSON.stringify(listing()));
      if (name) return answerFile(name, request.headers.range!, response);
      return others(request, response);
    });
    browser = await openChromium();
    context = await browser.newContext();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    rmSync(root, { recursive: true });
  });

  const newPage = async (): Promise<Page> => {
    const page = await context.newPage();
    await page.goto(server.origin);
    await page.waitForFunction("globalThis.loadTiny !== undefined");
    return page;
  };

  /** Loads the model in a page, and returns its logits or the error, and the bytes reported as progress. */
  const loadIn = (page: Page, options: object = {}) =>
    page.evaluate(`loadTiny(${JSON.stringify(options)})`) as Promise<Loaded>;

  const listIn = (page: Page) => page.evaluate("modelStore().list()") as Promise<StoredModel[]>;
  const deleteIn = (page: Page) => page.evaluate('modelStore().delete("owner/tiny")') as Promise<number>;

  test.runIf(chromiumPath)(
    "a page is killed during a download: the next one resumes after the last complete chunk",
    async () => {
      most = 2 * pieceSize + 100_000;
      const [first, watcher] = [await newPage(), await newPage()];
      const killed = loadIn(first).catch((error: Error) => error);
      const weightsIn = async () => {
        const [model] = await listIn(watcher);
        return model?.files.find(({ url }) => url.endsWith(".safetensors"));
      };
      while (((await weightsIn())?.bytes ?? 0) < 2 * pieceSize)
        await new Promise((resolve) => setTimeout(resolve, 50));
      await first.goto("chrome://crash").catch(() => undefined);
      expect(await killed).toBeInstanceOf(Error);

      [most, requests] = [Infinity, []];
      const { logits: found, seen } = await loadIn(watcher);
      expect(found).toEqual(await logits());
      const size = files["model.safetensors"]!.length;
      expect(requests.filter((request) => request.startsWith("model.safetensors"))).toEqual([
        `model.safetensors bytes=${2 * pieceSize}-${size - 1}`,
      ]);
      expect(seen[0]).toBeGreaterThan(2 * pieceSize);
      expect(seen.at(-1)).toBe(size);

      requests = [];
      const again = await newPage();
      expect((await loadIn(again, { offline: true })).logits).toEqual(await logits());
      expect(requests).toEqual([]);
    },
  );

  test.runIf(chromiumPath)("weights corrupted in transit are reported by name, and not stored", async () => {
    const page = await newPage();
    expect(await deleteIn(page)).toBeGreaterThan(2 * pieceSize);
    expect((await loadIn(page, { offline: true })).error).toMatch(
      /revision\/main.*expected a file that is stored, as `offline`/,
    );
    isDamaged = true;
    const { error } = await loadIn(page);
    isDamaged = false;
    expect(error).toMatch(
      /model.safetensors` is "\d+ bytes of another sha256", expected sha256 [0-9a-f]{64}, as the hub/,
    );
    expect((await loadIn(page)).logits).toEqual(await logits());
  });

  if (!chromiumPath) test("left out", ({ skip }) => skip(noChromium));
});

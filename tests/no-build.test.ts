// Pages without a build step: the files of `qkv` from another origin, as from a CDN, and one import map.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chromiumPath, noChromium, openChromium } from "../scripts/chromium.mjs";
import { openServer, staticFiles, type LocalServer } from "../scripts/server.mjs";
import { codeBlocks } from "./code-blocks.js";

const folder = fileURLToPath(new URL("../packages/cli/", import.meta.url));
const readme = readFileSync(`${folder}README.md`, "utf8");
const [cdn] = /https:\/\/cdn\.jsdelivr\.net\/npm\/qkv@[\d.]+\//.exec(readme)!;

/** The complete pages in the README: those with an import map and a script. */
const shown = codeBlocks(readme, "README.md", 1, "html")
  .map(({ code }) => code)
  .filter((code) => code.includes('<script type="module">'));

if (!chromiumPath) test("left out", ({ skip }) => skip(noChromium));

describe.runIf(chromiumPath)("in Chromium", () => {
  let files: LocalServer;
  let browser: Browser;

  beforeAll(async () => {
    files = await openServer(staticFiles(folder, { headers: { "Access-Control-Allow-Origin": "*" } }));
    browser = await openChromium();
  });
  afterAll(async () => {
    await browser?.close();
    await files?.close();
  });

  /** Opens a page of another origin than the files, and waits until its title is `done`. */
  async function opened(html: string, seen: (page: Page) => Promise<void>) {
    const server = await openServer((_request, response) => {
      response.writeHead(200, { "Content-Type": "text/html" }).end(html.replaceAll(cdn, `${files.origin}/`));
    });
    const page = await browser.newPage();
    page.setDefaultTimeout(60_000);
    const problems: string[] = [];
    page.on("pageerror", (error) => problems.push(String(error)));
    try {
      await page.goto(server.origin);
      await seen(page).catch((error: unknown) => problems.push(String(error)));
      expect(problems).toEqual([]);
    } finally {
      await page.close();
      await server.close();
    }
  }

  test("elements render, and a model generates in a worker, as the README shows", async () => {
    const html = shown.find((code) => code.includes("qkv/worker"));
    expect(html, "a page of the README with qkv/worker").toBeDefined();
    await opened(html!, async (page) => {
      await page.waitForSelector("qkv-head-grid svg");
      await page.waitForFunction('document.body.textContent.includes("had a race.")');
    });
  }, 120_000);

  test("errors contain the original names of functions and classes, not the minified ones", async () => {
    const html = `<!doctype html><title></title><script type="module">
      import { load, modelTiny, tensor } from "${cdn}dist/browser/qkv.js";
      class Weights {}
      const errors = [await load(modelTiny).catch((error) => error)];
      try { tensor(new Weights()); } catch (error) { errors.push(error); }
      document.title = errors.map(({ message }) => message).join("\\n");
    </script>`;
    await opened(html, async (page) => {
      await page.waitForFunction("document.title");
      const title = await page.title();
      expect(title).toContain("`source` is the function modelTiny");
      expect(title).toContain("a Weights");
    });
  }, 60_000);
});

// Runs the examples of the README's first screen in Node with the packed packages installed, and in a page and a worker
// with the packed files served as a CDN would. Then follows the README's way from a clone. Needs built packages.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openChromium } from "./chromium.mjs";
import { followClone, withoutCdn } from "./follow-clone.mjs";
import { installPacked } from "./install-packed.mjs";
import { packLinked } from "./pack-linked.mjs";
import { packAll } from "./pack.mjs";
import { openServer, staticFiles } from "./server.mjs";

const root = fileURLToPath(new URL("../", import.meta.url));
const cdn = "https://cdn.jsdelivr.net";
const limitMs = 60_000;
const counts = { passed: 0, failed: 0 };

/** The code blocks of the README before its second heading, by language and title. */
const screen = readFileSync(join(root, "README.md"), "utf8").split(/^## /m)[0];
const blocks = [...screen.matchAll(/^```(\w+)(?: title="([^"]*)")?\n(.*?)^```$/gms)].map(
  ([, language, title, code]) => ({ language, title, code }),
);

function block(language, title) {
  const found = blocks.find((each) => each.language === language && each.title === title);
  if (!found)
    throw new Error(`README.md has no block of ${language}${title ? ` titled ${title}` : ""} first`);
  return found.code;
}

async function check(name, run) {
  try {
    await run();
    counts.passed += 1;
    console.log(`ok: ${name}`);
  } catch (error) {
    counts.failed += 1;
    console.log(`failed: ${name}\n${error.stack ?? error}`);
  }
}

function equal(found, expected) {
  if (found !== expected)
    throw new Error(`expected ${JSON.stringify(expected)}, found ${JSON.stringify(found)}`);
}

const folder = mkdtempSync(join(tmpdir(), "qkv-first-screen-"));
const outside = mkdtempSync(join(tmpdir(), "qkv-from-a-clone-"));
const pages = mkdtempSync(join(tmpdir(), "qkv-first-page-"));
try {
  const tarballs = packAll(folder);
  installPacked(folder, tarballs, ["qkv"], { offline: false });
  const inNode = block("ts");
  const [, story] = /console\.log\(story\); \/\/ => "(.*)"$/m.exec(inNode);
  const written = story.slice("Once upon a time".length);

  await check("in Node", () => {
    writeFileSync(join(folder, "first.mjs"), inNode);
    const out = execFileSync(process.execPath, ["first.mjs"], { cwd: folder, encoding: "utf8" });
    equal(out.trimEnd().split("\n").at(-1), story);
  });

  writeFileSync(join(pages, "index.html"), block("html"));
  writeFileSync(join(pages, "worker.js"), block("js", "worker.js"));
  writeFileSync(join(pages, "starts.html"), `<script type="module">\n${block("js", "page.js")}</script>\n`);
  await followClone(outside, { check, pack: (packed) => packLinked(packed, tarballs) });
  const app = join(outside, "my-app");
  writeFileSync(join(app, "index.html"), withoutCdn(block("html")));
  writeFileSync(join(app, "worker.js"), withoutCdn(block("js", "worker.js")));
  writeFileSync(join(app, "starts.html"), `<script type="module">\n${block("js", "page.js")}</script>\n`);

  const server = await openServer(staticFiles(pages));
  const ofApp = await openServer(staticFiles(app));
  const browser = await openChromium();
  /** Opens a page, and waits until one of its texts begins with the expected one. */
  const inPage = async (address, read) => {
    const context = await browser.newContext();
    const problems = [];
    // As jsDelivr does: serves a package's files under its name and version range.
    await context.route(`${cdn}/npm/**`, (route) => {
      const [, name, file] = /^\/npm\/((?:@[^/]+\/)?[^/@]+)@[\d.]+\/(.*)$/.exec(
        new URL(route.request().url()).pathname,
      );
      return route.fulfill({
        path: join(folder, "node_modules", name, file),
        contentType: "text/javascript",
        headers: { "Access-Control-Allow-Origin": "*" },
      });
    });
    const page = await context.newPage();
    page.on("pageerror", (error) => problems.push(String(error)));
    const logged = [];
    page.on("console", (message) => logged.push(message.text()));
    try {
      await page.goto(address);
      const end = Date.now() + limitMs;
      let text = "";
      while (text.length < written.length && problems.length === 0 && Date.now() < end) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        text = await read(page, logged);
      }
      equal(problems.join("\n") || text, written);
    } finally {
      await context.close();
    }
  };
  try {
    for (const [{ origin }, from] of [
      [server, "a CDN"],
      [ofApp, "a clone"],
    ]) {
      await check(`in a page, from ${from}`, () =>
        inPage(`${origin}/index.html`, (page) => page.evaluate(() => globalThis.document.body.innerText)),
      );
      await check(`in a worker, from ${from}`, () =>
        inPage(`${origin}/starts.html`, async (_page, logged) => logged.join("")),
      );
    }
  } finally {
    await browser.close();
    await server.close();
    await ofApp.close();
  }
} finally {
  for (const each of [folder, pages, outside]) rmSync(each, { recursive: true, force: true });
}
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exitCode = counts.failed === 0 ? 0 : 1;

// Visits the pages of the built site: in Chromium at desktop and phone widths, in light and dark, then a few in
// Firefox. Each live example runs to its end; axe checks each page once; screenshots are saved in the folder
// QKV_SCREENSHOTS. `node walk.mjs [PATH…]` visits pages whose path begins with an argument.
/* global document, innerWidth, window -- in functions evaluated by a page */
import axe from "axe-core";
import { mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromiumPath, noChromium, openChromium } from "../../../scripts/chromium.mjs";
import { firefoxPath, startFirefox } from "./firefox.mjs";
import { unfinishedExamples } from "./live-examples.mjs";
import { serveSite } from "./serve-site.mjs";
import { awake, scrollTo } from "./site-checks.mjs";
import { pagesOf } from "./site-pages.mjs";

const build = fileURLToPath(new URL("../build", import.meta.url));
const pictures = process.env.QKV_SCREENSHOTS ?? join(tmpdir(), "qkv-site");
const timeoutMs = 240_000; // lessons that train, on a busy machine

if (!chromiumPath) {
  console.error(noChromium);
  process.exit(1);
}
const wanted = process.argv.slice(2);
// API pages are generated and long: the page of one package represents the others.
const pages = pagesOf(build).filter(
  ({ path }) =>
    (wanted.length === 0 || wanted.some((start) => (start === "/" ? path === "" : path.startsWith(start)))) &&
    (!path.startsWith("api/") || path === "api/" || path === "api/@qkv/kv-cache/"),
);
mkdirSync(pictures, { recursive: true });
const server = await serveSite(build);
const browser = await openChromium();
const counts = { passed: 0, failed: 0, skipped: 0 };

function verdict(name, problems) {
  counts[problems.length === 0 ? "passed" : "failed"]++;
  console.log(
    `${problems.length === 0 ? "ok  " : "FAIL"} ${name}${problems.map((text) => `\n     ${text}`).join("")}`,
  );
}

for (const [width, height] of [
  [1280, 900],
  [360, 740],
]) {
  for (const colorScheme of ["light", "dark"]) {
    const context = await browser.newContext({
      viewport: { width, height },
      colorScheme,
      reducedMotion: "reduce",
      serviceWorkers: "block",
    });
    context.setDefaultTimeout(timeoutMs);
    for (const { path, examples } of pages) {
      const problems = [];
      const page = await context.newPage();
      page.on("pageerror", (error) => problems.push(`page error: ${error.message}`));
      page.on(
        "console",
        (message) => message.type() === "error" && problems.push(`console: ${message.text()}`),
      );
      page.on("request", (request) => {
        const { protocol, origin } = new URL(request.url());
        if (protocol.startsWith("http") && origin !== server.origin) problems.push(`asks ${request.url()}`);
      });
      try {
        await page.goto(server.address + path);
        await awake(page);
        for (const example of new Set(examples)) {
          const at = `[data-live="${example}"][data-status]`;
          await scrollTo(page, example);
          await page.waitForFunction((at) => Number(document.querySelector(at)?.dataset.runs) > 0, at);
          const status = await page.locator(at).first().getAttribute("data-status");
          if (status !== "done") problems.push(`${example} ended "${status}"`);
        }
        for (const question of await page.locator("[data-predict=open]").all())
          await question.locator("input[type=radio]").first().check();
        if (path === "") await page.locator("[data-live-look=yes]").waitFor();
        const empty = await page
          .locator("[data-live][data-status]")
          .evaluateAll((all) =>
            all
              .filter((one) => !one.querySelector("svg.qkv-picture, pre[data-level], [data-holds]"))
              .map((one) => one.dataset.live),
          );
        for (const example of empty) problems.push(`${example} shows nothing`);
        const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        if (over > 0) problems.push(`is ${over} pixels wider than the window`);
        if (width > 1000 || path === "") problems.push(...(await heard(page)));
      } catch (error) {
        problems.push(error.message.split("\n")[0]);
      }
      const file = `${(path || "first").replace(/\W+/g, "-")}${width}-${colorScheme}.png`;
      await page.screenshot({ path: join(pictures, file), fullPage: true }).catch(() => {});
      await page.close();
      verdict(`${path || "/"} at ${width}, ${colorScheme}`, problems);
    }
    await context.close();
  }
}
await browser.close();

/** Violations that axe finds: rules of WCAG 2, A and AA. */
async function heard(page) {
  await page.evaluate(axe.source);
  const found = await page.evaluate(() =>
    window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"] }),
  );
  return found.violations.map(
    ({ id, help, nodes }) =>
      `axe, ${id}: ${help} (${nodes.length}): ${nodes[0]?.target.join(" ").slice(0, 120)}`,
  );
}

if (firefoxPath) {
  const firefox = await startFirefox();
  for (const path of ["", "learn/query-key-value/", "learn/the-kv-cache/"].filter((one) =>
    pages.some((page) => page.path === one),
  )) {
    const problems = [];
    const page = await firefox.open(server.address + path);
    problems.push(...(await unfinishedExamples(page, timeoutMs)));
    problems.push(...page.errors().map((text) => `console: ${text}`));
    await page.close();
    verdict(`${path || "/"} in Firefox`, problems);
  }
  await firefox.close();
} else {
  console.log("No Firefox was found; FIREFOX_PATH names one.");
  counts.skipped += 1;
}

server.close();
console.log(`Pictures are in ${pictures}`);
const { passed, failed, skipped } = counts;
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exitCode = failed === 0 ? 0 : 1;

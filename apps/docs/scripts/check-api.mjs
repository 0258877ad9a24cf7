// Opens every API page in Chromium, of the built site and then as `npm start` serves it, and compares the visible names
// and types with packages/*/api.md. Prints `N passed, M failed`. Needs the built site.
/* global document -- in functions evaluated by a page */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { chromiumPath, noChromium, openChromium } from "../../../scripts/chromium.mjs";
import { openServer } from "../../../scripts/server.mjs";
import { differences, readReports } from "./api/against-reports.mjs";
import { serveSite } from "./serve-site.mjs";

const site = fileURLToPath(new URL("..", import.meta.url));
const timeoutMs = 240_000; // for the server to start, on a busy machine
const settleMs = 30_000; // for a page to show all of its declarations

if (!chromiumPath) {
  console.error(noChromium);
  process.exit(1);
}
const reports = readReports();
const browser = await openChromium();
const counts = { passed: 0, failed: 0 };

/** Compares all pages below an address. */
async function check(way, address) {
  const context = await browser.newContext({ serviceWorkers: "block" });
  const page = await context.newPage();
  page.setDefaultTimeout(timeoutMs);
  let names = 0;
  for (const [title, report] of reports) {
    await page.goto(`${address}api/${title}/`, { waitUntil: "domcontentloaded" });
    await page.locator("article h3").first().waitFor();
    // The first page of `npm start` is complete shortly after its first heading appears.
    const end = Date.now() + settleMs;
    let shown = await page.evaluate(shownNames);
    let problems = differences(report, shown);
    while (problems.length > 0 && Date.now() < end) {
      await page.waitForTimeout(500);
      shown = await page.evaluate(shownNames);
      problems = differences(report, shown);
    }
    names += shown.length;
    counts[problems.length === 0 ? "passed" : "failed"] += 1;
    for (const problem of problems) console.log(`FAIL ${title} as ${way} ${problem}`);
  }
  await context.close();
  console.log(`${way}: ${reports.size} pages, ${names} names`);
}

/** Runs in the page: each name, with the text below its heading. */
function shownNames() {
  return [...document.querySelectorAll("article h3")].map((heading) => {
    const label = heading.firstChild.textContent;
    const below = [];
    for (let at = heading.nextElementSibling; at && !at.matches("h2, h3"); at = at.nextElementSibling)
      below.push(at);
    // A long declaration is in the collapsed part.
    const code = below
      .map((each) => (each.matches("[data-declaration]") ? each : each.querySelector("[data-declaration]")))
      .find(Boolean);
    return code
      ? { label, code: code.textContent }
      : { label, from: below[0]?.querySelector("a")?.getAttribute("href") };
  });
}

const built = await serveSite(`${site}build`);
await check("built", built.address);
built.close();

const { port, close } = await freePort();
await close();
const served = spawn(
  process.execPath,
  [
    fileURLToPath(import.meta.resolve("@docusaurus/core/bin/docusaurus.mjs")),
    ...["start", "--no-open", "--host", "127.0.0.1", "--port", port],
  ],
  { cwd: site, stdio: "ignore" },
);
try {
  const address = `http://127.0.0.1:${port}/`;
  const end = Date.now() + timeoutMs;
  while (!(await fetch(address).catch(() => undefined))?.ok) {
    if (served.exitCode !== null || Date.now() > end) throw new Error("docusaurus start serves nothing");
    await new Promise((done) => setTimeout(done, 500));
  }
  await check("served", address);
} finally {
  served.kill();
}
await browser.close();
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exitCode = counts.failed === 0 ? 0 : 1;

async function freePort() {
  const server = await openServer(() => {});
  return { port: new URL(server.origin).port, close: server.close };
}

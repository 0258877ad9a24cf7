// Runs every live example of the built site in Chromium, in the site's pages, from a sub-path of a plain server; and
// checks the isolation of live code. Prints a line for each, and `N passed, M failed`.
import { fileURLToPath } from "node:url";
import { chromiumPath, noChromium, openChromium } from "../../../scripts/chromium.mjs";
import { labs } from "../src/course/labs.ts";
import { deviceChecks } from "./device-checks.mjs";
import { serveSite } from "./serve-site.mjs";
import { figureChecks, withoutFigure } from "./figure-checks.mjs";
import { awake, firstPageChecks, linkedCode, press, siteChecks } from "./site-checks.mjs";
import { trainingChecks } from "./training-checks.mjs";
import { clicksTo, mostJavaScript, mostStyles, pagesOf } from "./site-pages.mjs";

const build = fileURLToPath(new URL("../build", import.meta.url));
const timeoutMs = 60_000;

if (!chromiumPath) {
  console.error(noChromium);
  process.exit(1);
}

const everyPage = pagesOf(build);
// All examples, or those whose path begins with an argument; "/" is the first page.
const wanted = process.argv.slice(2);
const isWanted = (path) =>
  wanted.length === 0 || wanted.some((start) => (start === "/" ? path === "" : path.startsWith(start)));
const pages = everyPage.filter(({ path, examples }) => examples.length > 0 && isWanted(path));

const server = await serveSite(build);
const browser = await openChromium();
let [passed, failed] = [0, 0];

/**
 * Opens a page and passes it to each check, one after another, with the set of what it has asked for. A check also fails if the
 * page logs an error meanwhile, or sends a request to another origin.
 */
async function visit(path, checks, options = {}) {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    serviceWorkers: "block", // it would cache the whole site for each of these visits
    ...options,
  });
  context.setDefaultTimeout(timeoutMs);
  const requested = new Set();
  let problems = [];
  // Listened to, not intercepted: each request would pass through this process.
  context.on("request", (request) => {
    requested.add(request.url());
    const { protocol, origin } = new URL(request.url());
    if (protocol.startsWith("http") && origin !== server.origin) problems.push(`asks ${request.url()}`);
  });
  const page = await context.newPage();
  page.on("pageerror", (error) => problems.push(`page error: ${error.message}`));
  page.on("console", (message) => message.type() === "error" && problems.push(`console: ${message.text()}`));
  page.on(
    "response",
    (response) => response.status() >= 400 && problems.push(`${response.status()} ${response.url()}`),
  );
  const attempt = async (what) => {
    try {
      await what();
    } catch (error) {
      problems.push(error.message.split("\n").slice(0, 4).join(" "));
    }
  };
  await attempt(async () => {
    await page.goto(server.address + path);
    if (options.javaScriptEnabled !== false) await awake(page);
  });
  for (const { name, check } of checks) {
    await attempt(() => check(page, requested));
    report(name, problems);
    problems = [];
  }
  await context.close();
  if (problems.length > 0) report(`${path || "/"} after its checks`, problems);
}

/** A check that has a visit of its own. */
function oneCheck({ path = "", options, ...check }) {
  return { path, options, checks: [check] };
}

function report(name, problems) {
  if (problems.length === 0) passed++;
  else failed++;
  console.log(
    `${problems.length === 0 ? "ok  " : "FAIL"} ${name}${problems.map((text) => `\n     ${text}`).join("")}`,
  );
}

/** Runs one example of a page: its code, its fields and sliders, its suggested changes, its solution. */
const exampleCheck = (example) => async (page) => {
  const live = linkedCode(page, example);
  await live.ended(1); // the page's own code runs automatically
  await live.expectStatus("done");
  await live.predict();
  if ((await live.shown().count()) === 0) throw new Error("it shows nothing");
  // The example must run with any text in a text field, and with each slider at both ends.
  for (const field of await live.root.locator("textarea").all()) {
    for (const text of ["", "the naïve 🦊"]) {
      const before = await live.runs();
      await field.fill(text);
      await live.ended(before + 1);
      await live.expectStatus("done");
    }
  }
  for (const slider of await live.root.locator("input[type=range]").all()) {
    for (const end of ["End", "Home"]) {
      const before = await live.runs();
      const value = await slider.inputValue();
      await slider.press(end);
      if ((await slider.inputValue()) !== value) await live.ended(before + 1);
      await live.expectStatus("done");
    }
  }
  // Each suggested change must have the promised outcome (except for times, which vary on a busy machine), and the
  // solution of an exercise must solve it.
  for (const change of await live.root.locator("[data-change]").all()) {
    // The end of a slider may equal the change already, and a second click would undo it.
    if ((await change.getAttribute("aria-pressed")) !== "true") {
      const before = await live.runs();
      await press(change);
      await live.ended(before + 1);
    }
    await live.expectStatus("done");
    const outcome = await live.root.locator("[data-outcome]").getAttribute("data-outcome");
    if (outcome !== "holds" && outcome !== "timing differs")
      throw new Error(`“${await change.innerText()}”: the outcome ${outcome}`);
  }
  if (example.startsWith("exercise-")) {
    await live.root.getByText("Solution", { exact: true }).click();
    const before = await live.runs();
    await press(live.root.locator("[data-solve]"));
    await live.ended(before + 1);
    if ((await live.root.getAttribute("data-solved")) !== "true")
      throw new Error("its solution does not solve it");
  }
  // Each runs a second time, whatever asks for it.
  if ((await live.runs()) === 1) {
    await live.run();
    await live.expectStatus("done");
  }
};

// Two at a time: most of these use one thread, and CI machines have two. Measurements after them run alone.
const withSliders = { path: "learn/query-key-value/", example: "causal-and-window" };
const visits = [
  ...pages.map(({ path, examples }) => ({
    path,
    checks: [...new Set(examples)].map((example) => ({
      name: `${path || "/"} ${example}`,
      check: exampleCheck(example),
    })),
  })),
  ...[
    ...figureChecks,
    ...withoutFigure(everyPage, build),
    ...siteChecks(withSliders.example).map(({ hash = "", ...check }) => ({
      ...check,
      path: withSliders.path + hash,
    })),
  ].map(oneCheck),
].filter(({ path }) => isWanted(path));
const waiting = visits.values();
const inTurn = async () => {
  for (const { path, checks, options } of waiting) await visit(path, checks, options);
};
await Promise.all([inTurn(), inTurn()]);
if (pages.length === 0) {
  failed++;
  console.log("FAIL no page has a live example");
}

for (const { path, checks, options } of [...firstPageChecks, ...deviceChecks, ...trainingChecks].map(
  oneCheck,
))
  if (isWanted(path)) await visit(path, checks, options);

const kilobytes = (bytes) => `${(bytes / 1000).toFixed(0)} kB`;
for (const [what, key, most] of [
  ["JavaScript", "javaScript", mostJavaScript],
  ["styles", "styles", mostStyles],
]) {
  const heaviest = everyPage.toSorted((a, b) => b[key] - a[key])[0];
  const fits = heaviest[key] < most;
  if (fits) passed++;
  else failed++;
  console.log(
    `${fits ? "ok  " : "FAIL"} a page asks for ${kilobytes(heaviest[key])} of ${what} at most, ` +
      `gzipped (${heaviest.path || "/"}); under ${kilobytes(most)} is allowed`,
  );
}

const clicks = clicksTo(everyPage);
const far = labs.filter(({ page }) => !(clicks.get(page.slice(1)) <= 2));
if (far.length === 0) passed++;
else failed++;
console.log(
  far.length === 0
    ? `ok   each of ${labs.length} questions is answered within two clicks from the landing page`
    : `FAIL more than two clicks from the landing page: ${far.map(({ row, page }) => `row ${row}, ${page}: ${clicks.get(page.slice(1)) ?? "no way"}`).join("; ")}`,
);

await browser.close();
server.close();
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

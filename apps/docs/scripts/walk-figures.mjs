// Checks the figures of the built site: each plays to its end, steps back, works with the keyboard alone, does not
// animate under reduced motion, restores its state from the address, works in a frame and passes axe; in Chromium and
// Firefox, at two widths, in light and dark. `node walk-figures.mjs [NAME…]` checks those figures.
import { fileURLToPath } from "node:url";
import { chromiumPath, noChromium, openChromium } from "../../../scripts/chromium.mjs";
import { figures } from "./figure-places.mjs";
import { browsers, themes, viewports, visits } from "./figure-walk.mjs";
import { firefoxPath, startFirefox } from "./firefox.mjs";
import { pageDriver } from "./page-driver.mjs";
import { serveSite } from "./serve-site.mjs";

const timeoutMs = 240_000; // generous, for busy machines
const wanted = process.argv.slice(2);
const chosen = figures.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
const unknown = wanted.filter((name) => !figures.some((each) => each.name === name));
if (unknown.length > 0 || !chromiumPath) {
  console.error(
    unknown.length > 0
      ? `walk-figures: there is no figure "${unknown.join()}".\nFix: name one of ${figures.map(({ name }) => name).join(", ")}.`
      : noChromium,
  );
  process.exit(1);
}
const build = fileURLToPath(new URL("../build", import.meta.url));
const server = await serveSite(build);
const counts = { passed: 0, failed: 0, skipped: 0 };

const starts = {
  async Chromium(theme, still) {
    const browser = await openChromium();
    return {
      async open(viewport) {
        const context = await browser.newContext({
          viewport,
          colorScheme: theme,
          reducedMotion: still ? "reduce" : "no-preference",
          serviceWorkers: "block",
        });
        const page = await context.newPage();
        const problems = [];
        page.on("pageerror", (error) => problems.push(`page error: ${error.message}`));
        page.on(
          "console",
          (message) => message.type() === "error" && problems.push(`console: ${message.text()}`),
        );
        return {
          goto: (url) => page.goto(url, { timeout: timeoutMs }),
          evaluate: (expression) => page.evaluate(expression),
          press: (key) => page.keyboard.press(key),
          problems: () => problems.splice(0),
          close: () => context.close(),
        };
      },
      close: () => browser.close(),
    };
  },
  async Firefox(theme, still) {
    const firefox = await startFirefox({
      "layout.css.prefers-color-scheme.content-override": theme === "dark" ? 0 : 1,
      "ui.prefersReducedMotion": still ? 1 : 0,
    });
    return {
      async open(viewport) {
        let page;
        return {
          async goto(url) {
            await page?.close();
            page = await firefox.open(url, viewport);
          },
          evaluate: (expression) => page.run(expression),
          press: (key) => page.press(key),
          problems: () => page.errors().map((text) => `console: ${text}`),
          close: () => page?.close(),
        };
      },
      close: () => firefox.close(),
    };
  },
};

for (const browserName of browsers) {
  if (browserName === "Firefox" && !firefoxPath) {
    console.log("No Firefox was found; FIREFOX_PATH names one.");
    counts.skipped += 1;
    continue;
  }
  for (const theme of themes) {
    for (const still of [false, true]) {
      const browser = await starts[browserName](theme, still);
      for (const viewport of viewports)
        for (const figure of chosen)
          for (const visit of visits.filter((each) => Boolean(each.still) === still)) {
            const page = await browser.open(viewport);
            const driver = pageDriver(page, { address: server.address, timeoutMs });
            await driver.open(visit.address(figure));
            for (const { name, check } of visit.checks) {
              const problems = [];
              await check(driver, figure).catch((error) => problems.push(error.message.split("\n")[0]));
              problems.push(...page.problems());
              counts[problems.length === 0 ? "passed" : "failed"] += 1;
              console.log(
                `${problems.length === 0 ? "ok  " : "FAIL"} figure ${figure.name}: ${name} (${browserName}, ${viewport.width}, ${theme})` +
                  problems.map((text) => `\n     ${text}`).join(""),
              );
            }
            await page.close();
          }
      await browser.close();
    }
  }
}
server.close();
const { passed, failed, skipped } = counts;
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exitCode = failed === 0 ? 0 : 1;

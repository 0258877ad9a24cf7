// Measures waiting times of a user in Chromium, on the built site, with a plain local server and an empty cache.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromiumPath, noChromium, openChromium } from "../../../scripts/chromium.mjs";
import { serveSite } from "./serve-site.mjs";
import { linkedCode } from "./site-checks.mjs";
import { pagesOf } from "./site-pages.mjs";

const build = fileURLToPath(new URL("../build", import.meta.url));

/**
 * Handwritten pages and pages of packages, with the bytes of JavaScript that each loads; empty without a built site.
 */
export function sitePages() {
  if (!existsSync(join(build, "index.html"))) {
    console.error("The site is not built, so there is nothing to measure: npx turbo run build --filter=docs");
    return undefined;
  }
  return pagesOf(build).filter(({ path }) => !path.startsWith("api/"));
}

/** Opens a browser and a server; `visit` passes a new page with an empty cache to `measure`. */
export async function openSite() {
  if (!chromiumPath) throw new Error(noChromium);
  const server = await serveSite(build);
  const browser = await openChromium();
  const visit = async (path, measure) => {
    const context = await browser.newContext({ serviceWorkers: "block" });
    try {
      return await measure(await context.newPage(), server.address + path);
    } finally {
      await context.close();
    }
  };
  return {
    /** Milliseconds from the navigation until the model's attention to the user's sentence is drawn. */
    firstMap: () =>
      visit("", async (page, url) => {
        const start = performance.now();
        await page.goto(url, { waitUntil: "commit" });
        await page.locator("[data-live-look=yes]").waitFor();
        return performance.now() - start;
      }),
    /** Milliseconds from the navigation until a prerendered map is visible. */
    firstPicture: () =>
      visit("", async (page, url) => {
        const start = performance.now();
        await page.goto(url, { waitUntil: "commit" });
        await page.locator("[data-live-look] svg.qkv-picture").first().waitFor();
        return performance.now() - start;
      }),
    /** Clicks from the first page until custom code has run. */
    clicks: () =>
      visit("", async (page, url) => {
        let clicks = 0;
        await page.goto(url);
        const liveExample = linkedCode(page, "first-look");
        await liveExample.ended(1);
        clicks++;
        await liveExample.edit();
        await page.keyboard.press("Control+A");
        await page.keyboard.type('console.log("mine")');
        const before = await liveExample.runs();
        clicks++;
        await liveExample.button("Run").click();
        await liveExample.ended(before + 1);
        if ((await liveExample.shown().allInnerTexts()).join() !== "mine") throw new Error("It did not run.");
        return clicks;
      }),
    async close() {
      await browser.close();
      server.close();
    },
  };
}

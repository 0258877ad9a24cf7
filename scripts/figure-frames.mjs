// Renders key frames of the figures for review: node scripts/figure-frames.mjs [NAME…] writes PNG files at 1280 and 390
// pixels, light and dark, into .frames/. Fails for a frame that shows another state than its name, or is wider than the
// page.
/* global document, innerWidth, window -- globals of the page */
import { mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { openChromium } from "./chromium.mjs";
import { figures } from "./figure-frames/list.mjs";

const { build } = createRequire(new URL("../apps/docs/package.json", import.meta.url))("esbuild");
const root = fileURLToPath(new URL("../", import.meta.url));
const out = `${root}.frames`;
const timeoutMs = 240_000; // generous, for busy machines
mkdirSync(out, { recursive: true });
const wanted = process.argv.slice(2);

const { outputFiles } = await build({
  stdin: {
    contents: figures
      .map(({ entry, define }) => `import { ${define} } from "${entry}"; ${define}();`)
      .join("\n"),
    resolveDir: root,
  },
  bundle: true,
  format: "iife",
  platform: "browser",
  tsconfig: `${root}tsconfig.base.json`,
  define: { __VERSION__: '"frames"' },
  external: ["node:*"],
  write: false,
  logLevel: "warning",
});
const browser = await openChromium();
const counts = { passed: 0, failed: 0 };
for (const { name, frames, asks = false } of figures) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  for (const [width, height] of [
    [1280, 900],
    [390, 844],
  ]) {
    for (const theme of ["light", "dark"]) {
      const page = await browser.newPage({ viewport: { width, height }, colorScheme: theme });
      page.setDefaultTimeout(timeoutMs);
      const problems = [];
      page.on("pageerror", (error) => problems.push(String(error)));
      await page.setContent(
        `<html lang="en" data-theme="${theme}"><body style="margin:0;background:${theme === "dark" ? "#16151c" : "#fcfbf8"}"><main style="padding:16px"></main></body></html>`,
      );
      await page.addScriptTag({ content: outputFiles[0].text });
      for (const { id, state, attributes = {}, themes = ["light", "dark"], widths = [1280, 390] } of frames) {
        if (!themes.includes(theme) || !widths.includes(width)) continue;
        await page.evaluate(
          ([tag, attributes, state]) => {
            const host = document.createElement(tag);
            for (const [key, value] of Object.entries(attributes)) host.setAttribute(key, value);
            host.setAttribute("state", state);
            document.querySelector("main").replaceChildren(host);
          },
          [`qkv-${name}`, attributes, state],
        );
        await page.waitForSelector(`qkv-${name} [data-cell], qkv-${name} .qkv-figure-stage *`);
        await page.waitForTimeout(asks ? 300 : 150);
        await page.waitForFunction(
          () => document.querySelector(".qkv-figure-read")?.textContent !== "Computing…",
        );
        // The figure removes an unknown state from its address.
        const kept = await page
          .waitForFunction(
            ([tag, wanted]) => {
              const own = new window.URLSearchParams(document.querySelector(tag).state);
              return [...new window.URLSearchParams(wanted)].every(
                ([key, value]) => own.get(key) === value || (key === "at" && own.has("at")),
              );
            },
            [`qkv-${name}`, state],
            { timeout: 60_000 },
          )
          .catch(() => undefined);
        if (!kept) {
          const own = await page.evaluate((tag) => document.querySelector(tag).state, `qkv-${name}`);
          problems.push(`asked for "${state}", it shows "${own}"`);
        }
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        if (overflow > 0) problems.push(`${overflow} pixels too wide`);
        counts[problems.length === 0 ? "passed" : "failed"] += 1;
        for (const problem of problems.splice(0))
          console.log(`FAIL ${name} ${id} (${width}, ${theme}): ${problem}`);
        const file = `${out}/${name}-${id}-${width}-${theme}.png`;
        writeFileSync(file, await page.screenshot({ fullPage: true }));
      }
      await page.close();
    }
  }
}
await browser.close();
console.log(`Pictures are in ${out}`);
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exitCode = counts.failed === 0 ? 0 : 1;

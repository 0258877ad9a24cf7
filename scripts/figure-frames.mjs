// Key frames of the figures as pictures, to be looked at: node scripts/figure-frames.mjs [NAME…] writes PNG files at 1280
// and 390 pixels, light and dark, into .frames/.
/* global document, innerWidth -- of the page */
import { mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { openChromium } from "./chromium.mjs";
import { figures } from "./figure-frames/list.mjs";

const { build } = createRequire(new URL("../apps/docs/package.json", import.meta.url))("esbuild");
const root = fileURLToPath(new URL("../", import.meta.url));
const out = `${root}.frames`;
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
for (const { name, frames, asks = false } of figures) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  for (const [width, height] of [
    [1280, 900],
    [390, 844],
  ]) {
    for (const theme of ["light", "dark"]) {
      const page = await browser.newPage({ viewport: { width, height }, colorScheme: theme });
      page.on("pageerror", (error) => console.log(String(error)));
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
        await page.waitForSelector(`qkv-${name} [data-cell], qkv-${name} .qkv-figure-stage *`, {
          timeout: 60_000,
        });
        await page.waitForTimeout(asks ? 300 : 150);
        await page.waitForFunction(
          () => document.querySelector(".qkv-figure-read")?.textContent !== "Computing…",
        );
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        if (overflow > 0) console.log(`${name} ${id} at ${width}: ${overflow} pixels too wide`);
        const file = `${out}/${name}-${id}-${width}-${theme}.png`;
        writeFileSync(file, await page.screenshot({ fullPage: true }));
      }
      await page.close();
    }
  }
}
await browser.close();

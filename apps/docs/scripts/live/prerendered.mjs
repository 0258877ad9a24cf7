// Writes what pages import before any JavaScript runs: the numbers of the first page, the stills of figures, and titles.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pages } from "../pages.mjs";
import { cache, live } from "./folders.mjs";

/**
 * @param {Awaited<ReturnType<typeof import("./examples.mjs").openExamples>>} examples
 */
export async function writePrerendered(examples) {
  const titles = Object.fromEntries(pages().map(({ path, title }) => [path, title]));
  writeFileSync(join(cache, "pages.json"), JSON.stringify(titles));
  const [first, figures] = await Promise.all([
    examples.prerender("first-page"),
    examples.prerender("figures"),
  ]);
  writeFileSync(join(cache, "first-look.json"), first);
  // The static picture of each figure: files for pages, and their sizes and texts.
  mkdirSync(join(live, "figures"), { recursive: true });
  const { stills, models } = JSON.parse(figures);
  for (const [name, { wide, narrow, ...words }] of Object.entries(stills)) {
    writeFileSync(join(live, "figures", `${name}-wide.svg`), wide);
    writeFileSync(join(live, "figures", `${name}-narrow.svg`), narrow);
    stills[name] = words;
  }
  writeFileSync(join(cache, "figures.json"), JSON.stringify(stills));
  for (const [name, model] of Object.entries(models))
    writeFileSync(join(cache, `${name}-model.json`), JSON.stringify(model));
}

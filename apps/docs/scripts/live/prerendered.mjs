// Writes what pages import before any JavaScript runs: the numbers of the first page, the stills of figures, and titles.
import { join } from "node:path";
import { pages } from "../pages.mjs";
import { cache, live } from "./folders.mjs";
import { replaceText } from "./replace-text.mjs";

/**
 * @param {Awaited<ReturnType<typeof import("./examples.mjs").openExamples>>} examples
 */
export async function writePrerendered(examples) {
  const titles = Object.fromEntries(pages().map(({ path, title }) => [path, title]));
  replaceText(join(cache, "pages.json"), JSON.stringify(titles));
  const [first, figures] = await Promise.all([
    examples.prerender("first-page"),
    examples.prerender("figures"),
  ]);
  replaceText(join(cache, "first-look.json"), first);
  // The static picture of each figure: files for pages, and their sizes and texts.
  const { stills, models } = JSON.parse(figures);
  for (const [name, { wide, narrow, ...words }] of Object.entries(stills)) {
    replaceText(join(live, "figures", `${name}-wide.svg`), wide);
    replaceText(join(live, "figures", `${name}-narrow.svg`), narrow);
    stills[name] = words;
  }
  replaceText(join(cache, "figures.json"), JSON.stringify(stills));
  for (const [name, model] of Object.entries(models))
    replaceText(join(cache, `${name}-model.json`), JSON.stringify(model));
}

import { expect, test } from "vitest";
import { figures as framed } from "../../scripts/figure-frames/list.mjs";
import { steps as nightly } from "../../scripts/nightly/site.mjs";
import { figures as places } from "./scripts/figure-places.mjs";
import { browsers, themes, viewports, visits } from "./scripts/figure-walk.mjs";
import { figures } from "./src/figures/list";

const names = Object.keys(figures).sort();
const ofList = (list: readonly { name: string }[]) => list.map(({ name }) => name).sort();

test("each figure of the site has a page and key frames", () => {
  expect(ofList(places)).toEqual(names);
  expect(ofList(framed)).toEqual(names);
});

test("npm run nightly site checks each figure by name: both browsers, both widths, light and dark", () => {
  expect(browsers).toEqual(["Chromium", "Firefox"]);
  expect(viewports.map(({ width }) => width)).toEqual([1280, 390]);
  expect(themes).toEqual(["light", "dark"]);
  expect(visits.flatMap(({ checks }) => checks.map(({ name }) => name)).sort()).toEqual([
    "axe",
    "embed",
    "keyboard alone",
    "permalink",
    "plays to its end",
    "reduced motion",
    "steps back, and forward again",
  ]);
  const commands = nightly.map(({ command }) => command.join(" "));
  expect(commands).toContain("node apps/docs/scripts/walk-figures.mjs");
  expect(commands).toContain("node scripts/figure-frames.mjs");
});

// The most important figures.
const main = ["attention-call", "evolution", "generation", "heads-and-keys", "transformer-block"];

test.each(framed)(
  "figure $name has its key frames, at both widths, in light and dark",
  ({ name, frames }) => {
    expect(new Set(frames.map(({ id }) => id)).size).toBe(frames.length);
    expect(new Set(frames.map((frame) => JSON.stringify([frame.state, frame.attributes]))).size).toBe(
      frames.length,
    );
    for (const width of [1280, 390])
      expect(
        frames.filter(({ widths = [1280, 390] }) => widths.includes(width)).length,
      ).toBeGreaterThanOrEqual(main.includes(name) ? 8 : 4);
    for (const theme of ["light", "dark"])
      expect(frames.some(({ themes = ["light", "dark"] }) => themes.includes(theme))).toBe(true);
  },
);

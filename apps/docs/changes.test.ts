import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { runCode } from "./run-code";
import { pages } from "./scripts/pages.mjs";
import { edited, resultOf, type Change } from "./src/live/change";
import { tier } from "../../scripts/tier.mjs";

// Applies every suggested change to its example and runs it: the promised outcome must hold.
const files: [file: string, changes: readonly Change[]][] = [];
for (const [file, load] of Object.entries(import.meta.glob<{ default: readonly Change[] }>("./changes/*.ts")))
  files.push([file, (await load()).default]);
const written = pages().map(({ text }) => text);

describe.each(files)("%s", (file, changes) => {
  const example = file.replace(/^.*\/|\.ts$/g, "");
  const path = new URL(`./examples/${example}.ts`, import.meta.url);

  test("belongs to an example of a page", () => {
    expect(existsSync(path)).toBe(true);
    expect(written.some((text) => text.includes(`<Live example="${example}" />`))).toBe(true);
    expect(new Set(changes.map(({ label }) => label)).size).toBe(changes.length);
  });

  // With a tier the changes of one example run: CI makes all of them in their pages.
  test.each(tier === undefined || file === "./changes/causal.ts" ? changes : [])(
    "$label",
    async ({ edits, set, outcome, timing }) => {
      // As on the page, without the final line break.
      const code = readFileSync(path, "utf8").trimEnd();
      const controls = (await runCode(code)).filter((message) => "label" in message);
      for (const label of Object.keys(set ?? {})) expect(controls.map((one) => one.label)).toContain(label);
      expect(edits ?? set, "it changes something").toBeDefined();
      const before = resultOf(await runCode(code));
      const after = resultOf(await runCode(edited(code, edits), set));
      expect(after, "it shows something else").not.toEqual(before);
      expect(outcome(after, before), JSON.stringify(after.lines)).toBe(true);
      // `timing` and its negation: one of the two must hold (both if the times print the same), unless a number is NaN.
      if (timing)
        expect(timing(after, before) || timing(before, after), JSON.stringify(after.lines)).toBe(true);
    },
  );
});

test("no page asks for a change of its code in prose", () => {
  for (const text of written) expect(text).not.toMatch(/One change to make/);
});

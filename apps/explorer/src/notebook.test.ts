import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { notebook } from "./notebook";
import { beginning, type Place } from "./place";

/** The output of a notebook in Node, on the packages of this workspace. */
function run(place: Place, looked: Partial<Parameters<typeof notebook>[1]> = {}): string {
  const code = notebook(place, {
    ...{ head: { layer: 2, head: 1 }, query: 4, key: 1, next: [1156, 1277], model: undefined },
    ...looked,
  });
  // In this folder, whose packages it imports.
  const folder = mkdtempSync(fileURLToPath(new URL("../.notebook-", import.meta.url)));
  try {
    const file = join(folder, "notebook.mjs");
    writeFileSync(file, code);
    return execFileSync(process.execPath, [file], { encoding: "utf8" });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("code of a place runs in Node and prints what the page shows", () => {
  const printed = run({ ...beginning, off: ["1.2", "3.f"], by: "head" });
  expect(printed).toMatch(/^next: " \w+" [\d.]+ %/);
  expect(printed).toMatch(/layer 3: 0\.\d\d 0\.\d\d 0\.\d\d 0\.\d\d/);
  expect(printed).toMatch(/score -?\d+\.\d+, of which/);
  expect(printed).toMatch(/after the embedding: "/);
  expect(printed).toMatch(/after layer 3: "/);
  expect(printed).toMatch(/without them: "/);
  expect(printed).toMatch(/logit difference: -?[\d.]+ of the source: -?[\d.]+\nlayers\.0\.attention\.heads /);
});

test("code of a text of one token, without another to compare with, runs, too", () => {
  const place = { ...beginning, text: "The", source: "", score: "firstToken" as const };
  expect(run(place, { head: { layer: 0, head: 0 }, query: 0, key: 0 })).toMatch(/after layer 3: "/);
});

test("another model is loaded by its name, and texts are quoted", () => {
  const code = notebook(
    { ...beginning, text: 'a "b"\n`c`' },
    {
      ...{ head: { layer: 0, head: 0 }, query: 0, key: 0, next: undefined, model: "owner/name" },
    },
  );
  expect(code).toContain('await load("owner/name")');
  expect(code).not.toContain("model-tiny");
  expect(code).toContain('const text = "a \\"b\\"\\n`c`";');
});

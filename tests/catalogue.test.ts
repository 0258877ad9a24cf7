// The catalogue is data: a table of all mechanisms must not bundle one of them.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const read = (path: string) =>
  readFileSync(new URL(`../packages/attention/${path}`, import.meta.url), "utf8");

test.each(["src/catalogue.ts", "dist/catalogue.js", "dist/catalogue.cjs"])("%s imports nothing", (path) => {
  const text = read(path);
  expect(text).toContain("sliding-window");
  expect(text).not.toMatch(/^(import|export) .*"|\brequire\(/m);
});

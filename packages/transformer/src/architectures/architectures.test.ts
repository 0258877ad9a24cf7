/// <reference types="node" />
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { architectures } from "./architectures.js";

test("each model_type belongs to one architecture", () => {
  const types = architectures.flatMap(({ modelTypes }) => modelTypes);
  expect(new Set(types).size).toBe(types.length);
  expect(types.length).toBeGreaterThan(40);
});

test("the README lists every model_type", () => {
  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  const missing = architectures
    .flatMap(({ modelTypes }) => modelTypes)
    .filter((type) => !readme.includes(`\`${type}\``));
  expect(missing, "model types that README.md does not name: add them to its list").toEqual([]);
});

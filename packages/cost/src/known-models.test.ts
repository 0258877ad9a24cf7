import { expect, test } from "vitest";
import { knownModels } from "./known-models.js";
import { parameters } from "./parameters.js";
import { readConfig } from "./read-config.js";

test("known models have unique names and are sorted by year", () => {
  expect(knownModels.length).toBeGreaterThanOrEqual(50);
  expect(new Set(knownModels.map(({ id }) => id)).size).toBe(knownModels.length);
  expect(new Set(knownModels.map(({ name }) => name)).size).toBe(knownModels.length);
  const years = knownModels.map(({ year }) => year);
  expect(years).toEqual([...years].sort((a, b) => a - b));
});

test.each(knownModels)("$name: the configuration gives the published number of parameters", (model) => {
  const { total } = parameters(readConfig(model.config));
  expect(total).toBe(model.parameters ?? total);
});

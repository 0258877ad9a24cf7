import { expect, test } from "vitest";
import { configFields } from "./config-fields.js";
import { layerValues } from "./layer-lists.js";

const values = (types: unknown) =>
  layerValues(configFields({ types }, { name: "config.json", fn: "load" }), "types", 2, ["dense", "sparse"]);

test("a list with a known value per layer is read, and an absent one is undefined", () => {
  expect(values(["sparse", "dense"])).toEqual(["sparse", "dense"]);
  expect(values(null)).toBeUndefined();
});

test("other values are not implemented; a list of another length or type is damaged", () => {
  expect(() => values(["dense", "routed"])).toThrow(
    'load: `config.json: types` is ["dense", "routed"], expected a list of 2, each dense or sparse.\n' +
      'Fix: qkv does not implement `types: ["dense", "routed"]`. Choose a model with a supported value.',
  );
  for (const damaged of [["dense"], ["dense", 1], []]) {
    expect(() => values(damaged)).toThrow(
      /expected a list of 2, each dense or sparse\.\nFix: correct the field, or download config\.json again/,
    );
  }
});

import { randn } from "@qkv/tensor";
import { expect, test } from "vitest";
import { cacheNames, cacheOption } from "./cache-option.js";

const model = { numLayers: 2, contextLength: 40 };
const token = (seed: number) => randn([1, 1, 1, 2], { seed });

test.each(cacheNames.map((name) => name.replace("[:WINDOW]", "")))(
  "%s holds the full context of the model",
  (name) => {
    const cache = cacheOption(name)(model);
    for (let t = 0; t < model.contextLength; t++)
      for (const layer of [0, 1]) cache.update(layer, token(t), token(t));
    expect([cache.length, cache.stored]).toEqual([40, 40]);
  },
);

test("rolling:N keeps the last N tokens", () => {
  const cache = cacheOption("rolling:7")(model);
  for (let t = 0; t < 20; t++) for (const layer of [0, 1]) cache.update(layer, token(t), token(t));
  expect([cache.length, cache.stored]).toEqual([20, 7]);
});

test.each(["", "shelf", "growing:3", "rolling:0", "rolling:-1", "rolling:x", "toString"])(
  '"%s" is refused, with the fix',
  (name) => {
    expect(() => cacheOption(name)).toThrow(
      `\`--cache\` is ${JSON.stringify(name)}, expected a cache: growing, static, rolling[:WINDOW], paged, prefix, quantized.\nFix: leave --cache out`,
    );
  },
);

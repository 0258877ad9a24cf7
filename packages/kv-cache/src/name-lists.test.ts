import { nameListOf } from "@qkv/test-support/name-list";
import { zeros } from "@qkv/tensor";
import { expect, test } from "vitest";
import { growingCache } from "./growing-cache.js";
import { sharedCache } from "./shared-cache.js";
import { stateCache } from "./state-cache.js";

test("the error about a layer that stores no entries shows the nearest layers that do", async () => {
  const reads = Array.from({ length: 20 }, (_, i) => i - (i % 2));
  const cache = sharedCache(growingCache({ numLayers: 10 }), reads);
  const x = zeros([1, 1, 1, 2]);
  expect(await nameListOf(() => cache.update(13, x, x))).toEqual({
    shown: ["10", "12", "14"],
    count: 10,
    list: "`reads`",
  });
});

test("the error about a length without a stored state shows the nearest lengths that have one", async () => {
  const cache = stateCache({ numLayers: 1, checkpoints: 12 });
  for (let i = 0; i < 12; i++) cache.advance(0, { state: zeros([1, 2]) }, 5);
  const { shown, list } = await nameListOf(() => cache.crop(32));
  expect([shown, list]).toEqual([["25", "30", "35"], undefined]);
});

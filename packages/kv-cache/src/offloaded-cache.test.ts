/// <reference types="node" />
import { randn, type Tensor } from "@qkv/tensor";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { checkAgainstModel, layers } from "@qkv/test-support/cache-model";
import { runs } from "../../../scripts/tier.mjs";
import { growingCache } from "./growing-cache.js";
import { offloadedCache } from "./offloaded-cache.js";

const folder = mkdtempSync(join(tmpdir(), "qkv-offload-"));
afterAll(() => rmSync(folder, { recursive: true }));

test.each([1, 2])(
  "model-based: any sequence of operations agrees with the model, with %i layers in memory; no file is left",
  (layersInMemory) => {
    const make = () => offloadedCache({ folder, numLayers: layers, layersInMemory });
    checkAgainstModel({ name: "offloaded", make }, Number(process.env["QKV_SEQUENCES"] ?? runs(300)));
    expect(readdirSync(folder)).toEqual([]);
  },
);

test("`bytes` counts only the layers in memory, and reading gives what a growing cache gives", () => {
  const cache = offloadedCache({ folder, numLayers: 4, layersInMemory: 2 });
  const growing = growingCache({ numLayers: 4 });
  for (let t = 0; t < 3; t++)
    for (let layer = 0; layer < 4; layer++) {
      const x = randn([2, 2, 5, 4], { seed: 10 * t + layer });
      for (const one of [cache, growing]) one.update(layer, x, x);
    }
  expect(cache.bytes).toBeLessThanOrEqual(growing.bytes / 2);
  expect(readdirSync(folder).length).toBe(4);
  expect(cache.save()).toEqual(growing.save());
  cache.reset();
  expect([cache.bytes, readdirSync(folder).length]).toEqual([0, 0]);
});

test("the least recently used layer is evicted from memory, not the first one", () => {
  const cache = offloadedCache({ folder, numLayers: 3, layersInMemory: 2 });
  const [long, short] = [64, 1].map((T) => randn([1, 1, T, 4], { seed: T })) as [Tensor, Tensor];
  cache.update(0, long, long);
  cache.update(1, short, short);
  cache.read(0);
  cache.update(2, short, short);
  const bytesOfLong = 2 * 64 * 4 * 4;
  expect(cache.bytes).toBeGreaterThan(bytesOfLong);
  cache.read(1);
  expect(cache.bytes).toBeLessThan(bytesOfLong);
  cache.reset();
});

test("a folder that does not exist is refused, with the fix", () => {
  expect(() => offloadedCache({ folder: join(folder, "gone") })).toThrow(
    /`folder` is ".*gone", expected an existing folder.\nFix: make it first/,
  );
  expect(() => offloadedCache({ folder, layersInMemory: 0 })).toThrow(/`layersInMemory` is 0/);
});

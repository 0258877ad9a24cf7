import { causal, keepFirst, or, slidingWindow, toGroupedQuery } from "@qkv/attention";
import { randomDecoder } from "@qkv/test-support/random-decoder";
import "@qkv/test-support/allclose";
import { cacheFor, decoder, evaluate } from "@qkv/transformer";
import { expect, test } from "vitest";
import { compareAttention } from "./compare-attention.js";
import { swapAttention } from "./swap-attention.js";

const model = randomDecoder("llama", { vocabSize: 13 } as never);
const ids = [3, 1, 4, 1, 5, 9, 2, 6];
const modelLogits = (swapped: ReturnType<typeof swapAttention>) => swapped.apply(swapped.params, ids).data;

test("a window mask equals a model with sliding-window layers; sinks stay visible", () => {
  const slides = decoder({ ...model.config, layerTypes: ["sliding", "sliding"], window: 3 });
  const swapped = swapAttention(model, { mask: slidingWindow(3) });
  expect(modelLogits(swapped)).toEqual(slides.apply(model.params, ids).data);
  const sinks = swapAttention(model, { mask: or(keepFirst(1), slidingWindow(3)) });
  expect(modelLogits(sinks)).not.toEqual(modelLogits(swapped));
});

test("fewer key-value heads are means of those that they replace; the same number changes nothing", () => {
  const swapped = swapAttention(model, { numKvHeads: 1 });
  const { numHeads } = model.config;
  const own = toGroupedQuery(model.params.layers[0]!.attention, { numHeads, numKvHeads: 1 });
  expect(swapped.params.layers[0]!.attention.key.weight.data).toEqual(own.key.weight.data);
  expect(swapped.config.numKvHeads).toBe(1);
  expect(modelLogits(swapAttention(model, { numKvHeads: 2 }))).toEqual(model.apply(model.params, ids).data);
  expect(model.config.numKvHeads).toBe(2);
});

test("a comparison has the loss of evaluate, and a swap that changes nothing agrees everywhere", async () => {
  const rows = await compareAttention(
    model,
    {
      same: { mask: causal() },
      window: { mask: slidingWindow(2) },
      int4: { quantize: "int4" },
      "step by step": { cache: cacheFor },
    },
    ids,
  );
  const [trained, same, window, int4, steps] = rows;
  expect(rows.map(({ name }) => name)).toEqual(["as trained", "same", "window", "int4", "step by step"]);
  expect(trained!.loss).toBeCloseTo((await evaluate(model, [ids])).loss, 5);
  expect([trained!.agreement, same!.agreement]).toEqual([1, 1]);
  expect(same!.loss).toBe(trained!.loss);
  expect(window!.loss).not.toBe(trained!.loss);
  expect(int4!.weightBytes).toBeLessThan(trained!.weightBytes);
  // Keys and values of 2 layers, 7 tokens, 2 heads of 6 numbers; a cache that grows has room for more.
  expect(trained!.cacheBytes).toBe(2 * 2 * 7 * 2 * 6 * 4);
  expect(steps!.cacheBytes).toBeGreaterThanOrEqual(trained!.cacheBytes);
  expect(steps!.loss).toBeCloseTo(trained!.loss, 5);
  expect(rows.every(({ timeMs }) => timeMs > 0)).toBe(true);
});

test("what does not fit is refused", async () => {
  expect(() => swapAttention(model, { numKvHeads: 3 })).toThrow(/`numKvHeads` is 3/);
  expect(() => swapAttention(model, { mask: 4 as never })).toThrow(/swapAttention: `mask` is 4/);
  expect(() => swapAttention(model, { quantize: "int2" as never })).toThrow(
    /swapAttention: `quantize` is "int2"/,
  );
  await expect(compareAttention(model, {}, [3])).rejects.toThrow(/compareAttention: `input` is "1 tokens"/);
});

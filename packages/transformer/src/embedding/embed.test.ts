import { ArgumentError } from "@qkv/core";
import { tensor } from "@qkv/tensor";
import { expect, test } from "vitest";
import { embed } from "./embed.js";
import { encoder } from "../models/encoder.js";
import type { EncoderModel } from "../models/model.js";

const contextLength = 4;
const { config, init, apply, maskedTokenLogits } = encoder({
  ...{ vocabSize: 10, embedDim: 8, hiddenDim: 12, numLayers: 1, numHeads: 2, contextLength },
  ...{ numTypes: 0, normEps: 1e-12 },
});
/** Text of digits, each an id. */
const tokenizer = {
  encode: (text: string) => Array.from(text, Number),
} as unknown as EncoderModel["tokenizer"];
const model: EncoderModel = { config, params: init(1), tokenizer, apply, maskedTokenLogits };

/** Rows of an encoder pooled by hand, in float64. */
function pooledByHand(ids: number[], pool: (rows: number[][]) => number[]): number[] {
  const [rows] = apply(model.params, tensor([ids], { dtype: "int32" })).toNested() as number[][][];
  const pooled = pool(rows!);
  const length = Math.hypot(...pooled);
  return pooled.map((number) => number / length);
}

test("golden: rows pooled by hand, scaled to length 1", async () => {
  const pools = {
    mean: (rows: number[][]) =>
      rows[0]!.map((_, c) => rows.reduce((sum, row) => sum + row[c]!, 0) / rows.length),
    cls: (rows: number[][]) => rows[0]!,
    last: (rows: number[][]) => rows.at(-1)!,
  };
  for (const [pooling, pool] of Object.entries(pools) as ["mean" | "cls" | "last", typeof pools.mean][]) {
    const [embedding] = await embed(model, ["314"], { pooling });
    const expected = pooledByHand([3, 1, 4], pool);
    for (const [c, number] of expected.entries()) expect(embedding![c]).toBeCloseTo(number, 5);
    expect(embedding).toHaveLength(8);
  }
  expect(await embed(model, ["314"])).toEqual(await embed(model, ["314"], { pooling: "mean" }));
});

test("each text by itself, in order; one that is too long is cut off at the context", async () => {
  const all = await embed(model, ["31", "4159", "41592653"]);
  expect(all).toEqual((await Promise.all(["31", "4159", "4159"].map((text) => embed(model, [text])))).flat());
  expect(all[0]).not.toEqual(all[1]);
});

test("what is no encoder, no text and no option is refused by name", async () => {
  const { numTypes: _, ...ofDecoder } = config;
  await expect(embed({ ...model, config: ofDecoder } as never, ["1"])).rejects.toThrow(
    /`model` is "a decoder", expected an encoder/,
  );
  await expect(embed({ ...model, tokenizer: undefined }, ["1"])).rejects.toThrow(
    /without a tokenizer.*\nFix: load/,
  );
  await expect(embed(model, [1] as never)).rejects.toBeInstanceOf(ArgumentError);
  await expect(embed(model, ["1"], { pooling: "max" as never })).rejects.toThrow(
    /`pooling` is "max", expected "mean"/,
  );
  await expect(embed(model, ["1"], { signal: AbortSignal.abort("no") })).rejects.toBe("no");
});

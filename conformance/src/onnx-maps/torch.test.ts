// Graphs of PyTorch's exporter: outputs are unchanged, and weights equal PyTorch's and ours.
import { attentionWeights, maskTensor } from "@qkv/attention";
import { tensor, type Tensor } from "@qkv/tensor";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { ownData } from "../../reference-data.mjs";
import { readTensor, type ReferenceTensor } from "../reference-tensor.js";
import { mapped, numbers, runGraph, type Value, type Values } from "./session.js";

type RecordedMap = { scale: number; softcap: number | null } & Record<
  "query" | "key" | "weights" | "mask" | "bias",
  unknown
>;
type Case = { name: string; inputs: unknown[]; outputs: unknown[]; maps: RecordedMap[] };
const { cases } = ownData.json("onnx-models/cases.json") as { cases: Case[] };

const valueOf = ({ values, shape, dtype }: ReferenceTensor): Value => ({
  ...{ data: values as Float32Array, dims: shape, type: dtype as "float32" },
});
const tensorOf = (json: unknown): Tensor => {
  const { values, shape, dtype } = readTensor(json);
  return tensor(Array.from(values as Float32Array, Number), { shape, dtype: dtype as "float32" });
};

test.each(cases.map((each) => [each.name, each] as const))("%s", async (name, { inputs, outputs, maps }) => {
  const model = await mapped(new Uint8Array(readFileSync(ownData.path(`onnx-models/${name}.onnx`))));
  expect(model.skipped).toEqual([]);
  expect(model.maps.map(({ how }) => how)).toEqual(maps.map(() => "exposed"));
  const feeds: Values = Object.fromEntries(
    inputs.map(readTensor).map((input) => [input.name, valueOf(input)]),
  );
  const [before, after] = [await runGraph(model.before, feeds), await runGraph(model.after, feeds)];
  for (const [output, { data }] of Object.entries(before)) expect(after[output]!.data, output).toEqual(data);
  for (const output of outputs.map(readTensor))
    expect(numbers(after[output.name]!)).toBeAllclose(numbers(valueOf(output)), { rtol: 1e-4, atol: 1e-4 });

  model.maps.forEach(({ name: map }, i) => {
    const { query, key, weights, mask, bias, scale, softcap } = maps[i]!;
    const ours = attentionWeights(tensorOf(query), tensorOf(key), {
      scale,
      ...(softcap !== null && { softcap }),
      ...(mask !== undefined && { mask: maskTensor(tensorOf(mask)) }),
      ...(bias !== undefined && { bias: tensorOf(bias) }),
    });
    const found = numbers(after[map]!);
    expect(found).toBeAllclose(ours.data, { rtol: 0, atol: 1e-5 });
    expect(found).toBeAllclose(readTensor(weights).values as Float32Array, { rtol: 0, atol: 1e-5 });
    // Some models have one axis for batch and heads together.
    const [B, H, ...rest] = ours.shape;
    expect(after[map]!.dims).toEqual(after[map]!.dims.length === 3 ? [B! * H!, ...rest] : ours.shape);
  });
});

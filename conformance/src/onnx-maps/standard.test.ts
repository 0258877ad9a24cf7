// ONNX's test cases of `Attention`, as graphs: with requested and with decomposed maps they give the reference outputs and our weights.
import { js, randn, tensor, type Tensor } from "@qkv/tensor";

import { describe, expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { ownData } from "../../reference-data.mjs";
import { attentionOperator } from "../operators/attention.js";
import { readTensor, type ReferenceTensor } from "../reference-tensor.js";
import { mapped, newGraph, numbers, runGraph, type Value, type Values } from "./session.js";

type Case = {
  name: string;
  opset: number;
  attributes: Record<string, number>;
  nodeInputs: (string | null)[];
  nodeOutputs: (string | null)[];
  inputs: unknown[];
  outputs: unknown[];
};

const fractions = new Set(["scale", "softcap"]);
function createGraph(
  { opset, attributes, nodeInputs, nodeOutputs }: Case,
  given: Map<string, ReferenceTensor>,
  results: ReferenceTensor[],
) {
  const g = newGraph({ opset });
  for (const { name, dtype, shape } of given.values()) g.input(name, shape, dtype);
  for (const { name, dtype, shape } of results) g.output(name, shape, dtype);
  const own = Object.entries(attributes).map(([name, value]) => [
    name,
    fractions.has(name) ? { float: value } : value,
  ]);
  const to = nodeOutputs.map((name) => name ?? "");
  g.op(
    "Attention",
    nodeInputs.map((name) => name ?? ""),
    Object.fromEntries(own),
    { to },
  );
  return g.bytes();
}

const toValue = ({ values, shape, dtype }: ReferenceTensor): Value => ({
  ...{ data: values as Float32Array, dims: shape, type: dtype as "float32" },
});

/** Weights of the same call from our packages. */
async function ourWeights({ opset, attributes, nodeInputs }: Case, given: Map<string, ReferenceTensor>) {
  const device = js();
  const toTensor = ({ dtype, values, shape }: ReferenceTensor): Tensor =>
    tensor(
      dtype === "float16"
        ? (numbers({ data: values as never, dims: shape, type: "float16" }) as Float32Array)
        : Array.from(values as Float32Array, Number),
      {
        ...{ shape, dtype: dtype === "bool" ? "bool" : dtype.startsWith("int") ? "int32" : "float32" },
      },
    );
  const names = [...attentionOperator.inputs];
  const inputs = Object.fromEntries(
    names.map((name, i) => [name, nodeInputs[i] ? toTensor(given.get(nodeInputs[i])!) : undefined]),
  );
  const [, , , weights] = await attentionOperator.run({
    ...{ inputs, opset, device, wanted: [true, false, false, true] },
    attributes: { ...attentionOperator.attributes, ...attributes, qk_matmul_output_mode: 3 },
  });
  return weights!;
}

const cases = ownData.json("onnx/attention.json") as Case[];
describe.each(["needed", "all"] as const)("decompose: %s", (decompose) => {
  test.each(cases.map((each) => [each.name, each] as const))("%s", async (_, each) => {
    const given = new Map(each.inputs.map(readTensor).map((input) => [input.name, input]));
    const results = each.outputs.map(readTensor);
    const feeds: Values = Object.fromEntries([...given].map(([name, input]) => [name, toValue(input)]));
    const model = await mapped(createGraph(each, given, results), { decompose });
    const givesScores = each.nodeOutputs[3] && each.attributes["qk_matmul_output_mode"] !== 3;
    if (decompose === "all" && givesScores) {
      expect(model.skipped).toMatchObject([{ reason: "it also gives scores under qk_matmul_output" }]);
      expect(model.after).toEqual(model.before);
      return;
    }
    expect(model.skipped).toEqual([]);
    const tolerance = results[0]!.dtype === "float16" ? 2e-3 : 1e-5;
    const [map] = model.maps;
    if (map!.how !== "decomposed") {
      const before = await runGraph(model.before, feeds).catch((error: Error) => error);
      if (before instanceof Error) {
        // A model that this version of the engine refuses without maps is refused with them.
        await expect(runGraph(model.after, feeds)).rejects.toThrow(/Attention/);
        return;
      }
      const requested = await runGraph(model.after, feeds);
      for (const [name, { data }] of Object.entries(before))
        expect(requested[name]!.data, name).toEqual(data);
    }
    const after = await runGraph(model.after, feeds);
    for (const result of map!.how === "decomposed" ? results : [])
      expect(numbers(after[result.name]!), result.name).toBeAllclose(numbers(toValue(result)), {
        rtol: tolerance,
        atol: tolerance,
      });
    const weights = await ourWeights(each, given);
    expect(after[map!.name]!.dims).toEqual(weights.shape);
    expect(numbers(after[map!.name]!)).toBeAllclose(weights.data, { rtol: tolerance, atol: tolerance });
  });
});

const reference = (name: string, { data, shape }: Tensor): ReferenceTensor => ({
  ...{ name, dtype: "float32", shape: [...shape], values: data as Float32Array },
});
const qkv = ["Q", "K", "V"].map((name, i) => reference(name, randn([1, 2, 5, 4], { seed: i })));

/** Weights of the decomposed graph, which has no operator of opset 25, and weights from our packages. */
async function decomposedWeights(attributes: Record<string, number>, inputs: readonly ReferenceTensor[]) {
  const given = new Map(inputs.map((x) => [x.name, x]));
  const each = {
    ...{ name: "", opset: 23, attributes, inputs: [], outputs: [] },
    ...{ nodeInputs: [...given.keys()], nodeOutputs: ["Y"] },
  };
  const model = await mapped(createGraph(each, given, [{ ...qkv[0]!, name: "Y" }]), { decompose: "all" });
  const feeds = Object.fromEntries([...given].map(([name, input]) => [name, toValue(input)]));
  const after = await runGraph(model.after, feeds);
  return { found: numbers(after["attentions.0"]!), ours: (await ourWeights(each, given)).data };
}

test.each([
  [{ left_window_size: 2, right_window_size: 1 }],
  [{ left_window_size: 1, is_causal: 1 }],
  [{ right_window_size: 0 }],
])("windows of opset 25, %j, are decomposed for engines without them", async (attributes) => {
  const { found, ours } = await decomposedWeights(attributes, qkv);
  expect(found).toBeAllclose(ours, { rtol: 0, atol: 1e-5 });
});

test.each(["float32", "bool"] as const)("keys beyond the end of a %s mask are masked", async (dtype) => {
  const maskNumbers = Array.from({ length: 15 }, (_, i) => (i % 4 === 0 ? 0 : 1));
  const values = dtype === "bool" ? Uint8Array.from(maskNumbers) : Float32Array.from(maskNumbers);
  const mask = { name: "attn_mask", dtype, shape: [5, 3], values };
  const { found, ours } = await decomposedWeights({}, [...qkv, mask]);
  expect(found).toBeAllclose(ours, { rtol: 0, atol: 1e-5 });
  expect(found[4]).toBe(0);
});

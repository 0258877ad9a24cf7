import { attention, causal, scoreModFunction } from "@qkv/attention";
import { js, randn, type Tensor } from "@qkv/tensor";
import "@qkv/test-support/allclose";
import { expect, test } from "vitest";
import { flexAttentionOperator } from "./flex-attention.js";

const inputs = {
  Q: randn([2, 4, 3, 8], { seed: 1 }),
  K: randn([2, 2, 5, 8], { seed: 2 }),
  V: randn([2, 2, 5, 6], { seed: 3 }),
};
async function run(attributes: object): Promise<Tensor> {
  const call = { inputs, attributes: { ...flexAttentionOperator.attributes, ...attributes } };
  const [y] = await flexAttentionOperator.run({ ...call, opset: 1, device: js(), wanted: [true] });
  return y!;
}
const node = (op: string, inputs: string[], output: string, attributes: object = {}) => ({
  op,
  inputs,
  outputs: [output],
  attributes,
});
const constant = (name: string, dtype: string, array: ArrayBufferView, shape: number[] = []) => ({
  name,
  dtype,
  shape,
  data: Buffer.from(array.buffer as ArrayBuffer).toString("base64"),
});
const graph = (nodes: object[], initializers: object[] = []) => ({
  nodes,
  initializers,
  inputs: [{ name: "in" }],
  outputs: [{ name: "out" }],
});

test("a float16 constant is decoded from its bits", async () => {
  const half = constant("half", "float16", Uint16Array.of(0x3800)); // 0.5
  const y = await run({ score_mod: graph([node("Mul", ["in", "half"], "out")], [half]) });
  expect(y).toBeAllclose(attention(inputs.Q, inputs.K, inputs.V, { scale: 0.5 / Math.sqrt(8) }), {
    rtol: 0,
    atol: 5e-6,
  });
});

test("a function without an expression runs on each score, tile by tile", async () => {
  const y = await run({ score_mod: graph([node("Atan", ["in"], "out")]) });
  const atan = scoreModFunction((x) => Math.atan(x));
  expect(y).toBeAllclose(attention(inputs.Q, inputs.K, inputs.V, { scoreMod: atan }), {
    rtol: 0,
    atol: 5e-6,
  });
});

test("a graph that reduces rows is an error, since a score mod sees single scores", async () => {
  const centred = graph([node("ReduceMax", ["in"], "m", { axes: [-1] }), node("Sub", ["in", "m"], "out")]);
  await expect(async () => run({ score_mod: centred })).rejects.toThrow(
    /ReduceMax cannot be turned into an expression/,
  );
});

test("rows of -∞ give zeros, other rows equal masked attention", async () => {
  // Key `s` for query `t` where s <= t - 1: the first query sees none.
  const below = Uint8Array.from({ length: 15 }, (_, i) => Number(i % 5 < Math.floor(i / 5)));
  const made = graph(
    [node("Where", ["seen", "in", "none"], "out")],
    [constant("seen", "bool", below, [3, 5]), constant("none", "float32", Float32Array.of(-Infinity))],
  );
  const expected = attention(inputs.Q, inputs.K, inputs.V, { mask: causal({ offset: -1 }) });
  expect([...expected.data.slice(0, 6)]).toEqual([0, 0, 0, 0, 0, 0]);
  expect(await run({ score_mod: made })).toBeAllclose(expected, { rtol: 0, atol: 5e-6 });
});

import { defineMixer, gatedDeltaRule, lightningAttention, mix, simpleGla, type Mixer } from "@qkv/attention";
import { exp, js, mul, permute, type Tensor } from "@qkv/tensor";
import { expect, test } from "vitest";
import { referenceData } from "../../reference-data.mjs";
import { readTensor } from "../reference-tensor.js";
import { toTensor } from "../to-tensor.js";
import { tolerance } from "../tolerance.js";

const target = { device: js(), class: "host" as const };
type Case = { op: string; attributes: Record<string, number>; inputs: unknown[]; outputs: unknown[] };

const casesOf = (file: string) => referenceData.json(`linear/${file}.json`) as Case[];
const tensorsOf = (list: unknown[]) =>
  Object.fromEntries(
    list.map((json) => [(json as { name: string }).name, toTensor(readTensor(json), target)]),
  );
const headsFirst = (x: Tensor) => permute(x, [0, 2, 1, ...x.shape.slice(3).map((_, i) => i + 3)]);

/** The largest error of a mixer's outputs, as the tolerance measures it. */
function errorOf(
  mixer: Mixer<"query" | "key" | "value" | "decay" | "beta">,
  { inputs, outputs }: Case,
): number {
  const { q, k, v, g, beta } = tensorsOf(inputs) as Record<"q" | "k" | "v" | "g" | "beta", Tensor>;
  const [query, key, value, decay, rate] = [q, k, v, g, beta].map(headsFirst) as [
    Tensor,
    Tensor,
    Tensor,
    Tensor,
    Tensor,
  ];
  const { output } = mix(mixer, { query, key, value, decay, beta: rate });
  const expected = headsFirst(tensorsOf(outputs)["o"]!).toNested() as never[];
  const flat = (list: unknown): number[] => [list].flat(9) as number[];
  const theirs = flat(expected);
  const scale = Math.max(1, ...theirs.map(Math.abs));
  return Math.max(...flat(output.toNested()).map((x, i) => Math.abs(x - theirs[i]!) / scale));
}

const { name: _, ...right } = gatedDeltaRule();
const limit = tolerance("forward float32", "host");
const plain = casesOf("gated-delta-rule")[0]!;

test("the gated delta rule is within the tolerance", () => {
  expect(errorOf(gatedDeltaRule(), plain)).toBeLessThan(limit);
});

test.each([
  [
    "erases what the state held before the decay",
    defineMixer({
      ...right,
      name: "undecayed",
      mix: ({ inputs: { beta, ...steps }, state, scan }) =>
        scan({ ...steps, value: mul(steps.value, beta), erase: mul(steps.key, beta) }, state),
    }),
  ],
  [
    "erases all of it, whatever beta is",
    defineMixer({
      ...right,
      name: "erases all",
      mix: ({ inputs: { beta, ...steps }, state, scan }) =>
        scan({ ...steps, value: mul(steps.value, beta), erase: mul(steps.key, exp(steps.decay)) }, state),
    }),
  ],
  [
    "reads before the write",
    defineMixer({
      ...right,
      name: "reads before",
      mix: ({ inputs: { beta, ...steps }, state, scan }) => {
        const erase = mul(steps.key, mul(beta, exp(steps.decay)));
        return scan({ ...steps, value: mul(steps.value, beta), erase, reads: "before" }, state);
      },
    }),
  ],
])("negative control: a gated delta rule that %s is seen", (_, wrong) => {
  expect(errorOf(wrong, plain)).toBeGreaterThan(3 * limit);
});

test("lightning attention uses the slopes in upstream's cases", () => {
  const cases = casesOf("simple-gla").filter(({ op }) => op === "lightning_attention");
  expect(cases.length).toBe(2);
  for (const { attributes, inputs } of cases) {
    const { q, k, v, g } = tensorsOf(inputs) as Record<"q" | "k" | "v" | "g", Tensor>;
    const [query, key, value, decay] = [q, k, v, g].map(headsFirst) as [Tensor, Tensor, Tensor, Tensor];
    const options = {
      layer: attributes["lightning_layer_idx"]!,
      numLayers: attributes["lightning_num_layers"]!,
    };
    const ours = mix(lightningAttention(options), { query, key, value }).output.data;
    const theirs = mix(simpleGla(), { query, key, value, decay }).output.data;
    ours.forEach((x, i) => expect(x).toBeCloseTo(theirs[i]!, 5));
  }
});

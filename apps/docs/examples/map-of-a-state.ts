import {
  attention,
  attentionWeights,
  causal,
  deltaRule,
  gatedDeltaRule,
  impliedWeights,
  linearAttention,
  mix,
  simpleGla,
  type Mixer,
  type MixInputs,
} from "@qkv/attention";
import { check, choice, print, show } from "@qkv/page";
import { full, matmul, mul, ones, tensor, tril, zeros } from "@qkv/tensor";
import { type Tensor } from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

// A token stores the color of a thing. One with “?” stores nothing and asks.
const tokens = "cup:red cap:blue hat:gold cup:green cup? cap? hat?".split(" ");
const things: Record<string, number[]> = {
  cup: [1, 0, 0],
  cap: [0.6, 0.8, 0], // spelled like “cup”, so its key is similar
  hat: [0, 0, 1],
};
const colors = ["red", "blue", "gold", "green"];
const parts = tokens.map((token) => token.split(/[:?]/));
const T = tokens.length;
const query = tensor([[parts.map(([thing = ""]) => things[thing] ?? [])]]);
const stores = tokens.map((token) => [token.endsWith("?") ? 0 : 1]);
const key = mul(query, tensor([[stores]])); // [B, H, T, K]
const value = tensor([
  [parts.map(([, color]) => colors.map((one) => (one === color ? 1 : 0)))],
]); // [B, H, T, V]
const inputs = { query, key, value };
const beta = full([1, 1, T], 1); // the part of the old color that is replaced
const decay = full([1, 1, T], Math.log(0.8)); // the state keeps 80% per token

const difference = (a: Tensor, b: Tensor) =>
  Math.max(...Array.from(a.data, (x, i) => Math.abs(x - b.data[i]!)));
const scale = 1;
function run<R extends string, O extends string>(
  mixer: Mixer<R, O>,
  inputs: MixInputs<R, O>,
) {
  const weights = impliedWeights(mixer, inputs, { scale }); // [B, H, T, T]
  const { output, state } = mix(mixer, inputs, { scale });
  check(
    "the map times the values is the output",
    difference(matmul(weights, value), output) < 1e-6,
  );

  // Read the text once more, from the state that the first time left.
  const initialState = state;
  const again = mix(mixer, inputs, { scale, initialState }).output;
  const nothing = { ...inputs, value: zeros(value.shape) };
  const fromState = mix(mixer, nothing, { scale, initialState }).output;
  const both = matmul(weights, value).data.map(
    (x, i) => x + fromState.data[i]!,
  );
  check(
    "what an initial state answers is added to it",
    difference(tensor(both, { shape: again.shape }), again) < 1e-6,
  );
  return { weights, output };
}
const layers = {
  "linear attention": () => run(linearAttention(), inputs),
  "a decay (simple GLA)": () => run(simpleGla(), { ...inputs, decay }),
  "delta rule": () => run(deltaRule(), { ...inputs, beta }),
  "gated delta rule": () => run(gatedDeltaRule(), { ...inputs, beta, decay }),
};
type Layer = keyof typeof layers;
const names = Object.keys(layers) as Layer[];
const layer = choice("layer", names, { value: "delta rule" });

// Softmax attention has its map before its output; the layer has none, and
// this is the one that its outputs imply.
const softmax = { mask: causal(), scale: 8 };
const { weights, output } = layers[layer]();
const labels = { rowLabels: tokens, columnLabels: tokens, max: 1 };
const title = `${layer}: the map that it implies`;
show(
  attentionMap(attentionWeights(query, key, softmax), {
    ...labels,
    title: "softmax attention",
  }),
);
const mask = tril(ones([T, T]));
show(attentionMap(weights, { ...labels, title, mask, min: -1 }));

// Each answer in colors.
function answers(name: string, output: Tensor) {
  for (const t of [4, 5, 6]) {
    const row = colors.map(
      (color, c) => [color, output.data[t * 4 + c]!] as const,
    );
    const read = row.filter(([, amount]) => Math.abs(amount) >= 0.005);
    const texts = read.map(
      ([color, amount]) => `${color} ${amount.toFixed(2)}`,
    );
    print(`${name}: ${tokens[t]}`, texts.join(", "));
  }
}
answers("softmax", attention(query, key, value, softmax));
answers(layer, output);

import {
  ablate,
  activationPatching,
  logitDifference,
  logitLens,
  logitParts,
  patch,
  runWithTrace,
  type Hooks,
} from "@qkv/lens";
import { choice, print, show } from "@qkv/page";
import { linear, slice, softmax, tensor, type Tensor } from "@qkv/tensor";
import { adam } from "@qkv/tensor/optimizers";
import { decoder, norm, type DecoderParams } from "@qkv/transformer";
import {
  nextTokenBatches,
  tokenLoss,
  trainStep,
} from "@qkv/transformer/training";
import {
  attentionMap,
  bars,
  headView,
  lines,
  modelView,
  neuronView,
} from "@qkv/viz";

// A language in which the last word of a sentence depends on the second: "the
// cat sat there and meows".
const sounds = { cat: "meows", dog: "barks", cow: "moos", bird: "sings" };
const sentences = Object.entries(sounds).map(
  ([animal, sound]) => `the ${animal} sat there and ${sound} .`,
);
const text = Array.from(
  { length: 60 },
  (_, n) => sentences[(n * 7 + (n >> 2)) % 4],
).join(" ");
const vocabulary = [...new Set(text.split(" "))];
const idsOf = (words: string) =>
  words.split(" ").map((word) => vocabulary.indexOf(word));

// Two layers: four heads share two pairs of keys and values; the second layer
// sees four words.
const [H, Hkv, C, window] = [4, 2, 32, 4];
const model = decoder({
  vocabSize: vocabulary.length,
  embedDim: C,
  hiddenDim: 64,
  numLayers: 2,
  numHeads: H,
  numKvHeads: Hkv,
  contextLength: 14,
  positions: "learned",
  layerTypes: ["full", "sliding"],
  window,
  normEps: 1e-5,
  stopIds: [],
});
const params = model.init(2);
const batchAt = nextTokenBatches(idsOf(text), {
  batchSize: 16,
  contextLength: 14,
  seed: 1,
});
const optimizer = adam({ learningRate: 0.01 });
const step = trainStep<DecoderParams>({
  loss: tokenLoss(model),
  optimizer,
  maxNorm: 1,
});
const state = optimizer.init(params);
for (let i = 0; i < 150; i++) step(params, state, [batchAt(i)]);

const [words, ids] = [
  "the cat sat there and".split(" "),
  idsOf("the cat sat there and"),
];
const tensors: Record<string, Tensor> = {};
model.apply(params, ids, {
  trace: { names: ["weights", "heads", "embeddings"], tensors },
});
const traced = (name: string) => tensors[name] ?? tensor([NaN]);
const weights = [0, 1].map((layer) =>
  traced(`layers.${layer}.attention.weights`),
);

// Show all heads, then one layer, then one of its heads number by number.
show(
  modelView(weights, {
    marks: [{ numKvHeads: Hkv }, { numKvHeads: Hkv, window }],
  }),
);
const head = choice("head of the first layer", [0, 1, 2, 3]);
const [first] = params.layers;
if (!weights[0] || !first) throw new Error("a layer");
show(headView(weights[0], { rowLabels: words, numKvHeads: Hkv, query: 4 }));
const rms = norm({ kind: "rms", embedDim: C, eps: 1e-5 });
const x = rms.apply(first.attentionNorm, traced("embeddings")); // [1, T, C]
const D = C / H;
const part = (map: { weight: Tensor }, h: number) => {
  const { data } = linear(x, slice(map.weight, 0, h * D, h * D + D));
  return { data, shape: [words.length, D] };
};
const query = part(first.attention.query, head);
const asks = { data: query.data.slice(-D), shape: [D] };
const keys = part(first.attention.key, Math.floor(head / (H / Hkv)));
show(
  neuronView(asks, keys, {
    columnLabels: words,
    title: `head ${head}, query “and”`,
  }),
);

// The prediction after each layer.
const meows = vocabulary.indexOf("meows");
const chance = (logits: Tensor) =>
  softmax(logits).data[4 * vocabulary.length + meows] ?? NaN;
const lens = logitLens(model, params, ids).map(chance);
show(
  lines(
    { data: lens, shape: [3] },
    { title: "probability of “meows” after each layer", xLabel: "layers" },
  ),
);

// Which head writes the answer? The logit of "meows" less that of "barks", part by
// part.
const inside = { config: model.config, params, apply: model.apply };
const barks = vocabulary.indexOf("barks");
const { parts } = logitParts(inside, ids, { token: meows, minus: barks });
show(
  bars(
    { data: parts.map(({ value }) => value), shape: [parts.length] },
    {
      labels: parts.map(({ name }) => name),
      title: "“meows” rather than “barks”, by what wrote it",
    },
  ),
);

// Where is the animal kept? Patch one word of one layer with that of the dog's
// sentence, and see how far the answer moves towards the dog.
const dog = idsOf("the dog sat there and");
const metric = logitDifference({ token: meows, minus: barks });
const map = await activationPatching(inside, ids, dog, { metric });
const moved = map.values.data.map(
  (x) => (x - map.unpatched) / (map.source - map.unpatched),
);
show(
  attentionMap(
    { data: moved, shape: map.values.shape },
    {
      rowLabels: map.names,
      columnLabels: words,
      min: -1,
      max: 1,
      title: "share of the way to the dog’s answer",
    },
  ),
);

// Remove each head, then replace its output with that for the dog.
const other = runWithTrace(inside, dog, { names: ["heads"] }).tensors;
const places = [0, 1].flatMap((layer) =>
  Array.from({ length: H }, (_, head) => ({ layer, head })),
);
const labels = places.map(({ layer, head }) => `layer ${layer}, head ${head}`);
const changed = (hooks: Hooks) =>
  chance(runWithTrace(inside, ids, { names: [], hooks }).logits);
const placeOf = ({ layer, head }: { layer: number; head: number }) => ({
  name: `layers.${layer}.attention.heads`,
  head,
});
const without = places.map((place) => changed(ablate([place])));
const patched = places.map((place) => changed(patch(other, [placeOf(place)])));
const shape = [places.length];
show(
  bars(
    { data: without, shape },
    { labels, title: "probability of “meows” without a head", max: 1 },
  ),
);
show(
  bars(
    { data: patched, shape },
    { labels, title: "… with the head’s output for the dog", max: 1 },
  ),
);

const all = changed(patch(other, places.map(placeOf)));
print(
  `meows ${(lens[2] ?? NaN).toFixed(3)}; with all heads of the dog's sentence ${all.toFixed(3)}`,
);
if (!((lens[2] ?? 0) > 0.8 && (lens[0] ?? 1) < 0.5))
  throw new Error("the answer did not need attention");
if (!(all < 0.1)) throw new Error("the animal did not come through the heads");

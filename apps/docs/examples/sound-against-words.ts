import { check, print, show } from "@qkv/page";
import {
  mul,
  crossEntropy,
  mapTensors,
  slice,
  tensor,
  type Tensor,
} from "@qkv/tensor";
import { adam, warmupCosine } from "@qkv/tensor/optimizers";
import { speechToText } from "@qkv/transformer";
import { whisperFeatures } from "@qkv/transformer/audio";
import { train } from "@qkv/transformer/training";
import { attentionMap } from "@qkv/viz";
import { wasm } from "@qkv/wasm";

const device = await wasm();
const words = ["do", "re", "mi", "fa", "so"];
const hertz = [262, 440, 740, 1245, 2093];
const [start, stop] = [words.length, words.length + 1];

// Half a second with three tones, at places and of lengths that change.
const random = (n: number) => {
  const x = Math.sin(n * 12.9898) * 43758.5453;
  return x - Math.floor(x);
};
const rate = 16000;
const clip = (n: number) => {
  const sound = new Float32Array(rate * 0.48);
  const tones = [0, 1, 2].map((i) => {
    const word = Math.floor(random(10 * n + i) * words.length);
    const from = 0.16 * i + 0.05 * random(10 * n + 3 + i);
    const to = from + 0.06 + 0.05 * random(10 * n + 6 + i);
    for (let t = Math.round(from * rate); t < to * rate; t++)
      sound[t] = 0.3 * Math.sin((2 * Math.PI * hertz[word]! * t) / rate);
    return { word, from, to };
  });
  return { sound, tones };
};

// Whisper in small: 48 frames of 16 mel bands, two convolutions, one layer.
const extractor = whisperFeatures({ numMels: 16, chunkLength: 0.48 });
const layers = {
  ...{ embedDim: 32, hiddenDim: 64, numLayers: 1, numHeads: 1 },
  ...{ contextLength: 24, placement: "pre" as const },
};
const convolution = {
  ...{ channels: 32, kernelSize: 3, padding: 1 },
  activation: "gelu",
} as const;
const model = speechToText({
  ...layers,
  ...{ vocabSize: words.length + 2, startIds: [start], stopIds: [stop] },
  encoder: {
    ...layers,
    inputChannels: 16,
    convolutions: [convolution, { ...convolution, stride: 2 }],
  },
});

const batchOf = (first: number, count: number) => {
  const clips = Array.from({ length: count }, (_, i) => clip(first + i));
  const sounds = clips.map(({ sound }) => sound);
  const { features } = extractor.apply(sounds, { device });
  const ids = clips.map(({ tones }) => tones.map(({ word }) => word));
  const ints = { dtype: "int32", device } as const;
  const input = tensor(
    ids.map((own) => [start, ...own]),
    ints,
  );
  const targets = tensor(
    ids.map((own) => [...own, stop]),
    ints,
  );
  return { clips, features, input, targets };
};
const batches = Array.from({ length: 8 }, (_, i) => batchOf(16 * i, 16));

// Tables of words and positions begin as large as features are: with small ones it
// learns only which tones there are.
const begun = model.init(1);
const larger = (table: { weight: Tensor } | undefined) => ({
  weight: mul(table!.weight, 25),
});
const params = mapTensors(
  {
    embedding: larger(begun.embedding),
    encoder: { ...begun.encoder, positions: larger(begun.encoder.positions) },
    decoder: { ...begun.decoder, positions: larger(begun.decoder.positions) },
  },
  (x) => x.to(device),
);
type Batch = (typeof batches)[number];
const loss = (p: typeof params, { features, input, targets }: Batch) => {
  const source = model.encode(p, features);
  return crossEntropy(model.apply(p, input, { source }), targets);
};
const steps = 240;
const learningRate = warmupCosine({ peak: 0.006, warmupSteps: 10, steps });
const optimizer = adam({ learningRate });
const batchAt = (step: number) => batches[step % batches.length]!;
for await (const { step, loss: value } of train({
  params,
  loss,
  optimizer,
  maxNorm: 1,
  batchAt,
  steps,
}))
  if (step % 60 === 0) print(`step ${step}: loss ${value.toFixed(3)}`);

// Sound that it has not heard: which frames does each word look at?
const test = batchOf(10_000, 16);
const source = model.encode(params, test.features);
const name = "decoder.layers.0.crossAttention.weights" as const;
const tensors: Record<string, Tensor> = {};
const logits = model.apply(params, test.input, {
  source,
  trace: { names: [name], tensors },
});
const weights = slice(tensors[name]!, 0, 0, 1); // [1, 1, 4, 24]
const labels = test.clips[0]!.tones.map(({ word }) => words[word]!);
show(
  attentionMap(weights, {
    rowLabels: [...labels, "(end)"],
    columnLabels: Array.from({ length: 24 }, (_, s) => String(20 * s)),
    title: "rows: words; columns: milliseconds of sound",
  }),
);

const scores = (await logits.read()) as Float32Array;
const V = words.length + 2;
const best = (row: number) => {
  const own = scores.subarray(row * V, (row + 1) * V);
  return own.indexOf(Math.max(...own));
};
const right = test.clips.flatMap(({ tones }, b) =>
  tones.map(({ word }, t) => best(4 * b + t) === word),
);
const share = right.filter(Boolean).length / right.length;
print(`${Math.round(100 * share)} % of the words are right`);

// The weight of each word on the frames of its own tone and of the others.
const all = (await tensors[name]!.read()) as Float32Array; // [16, 1, 4, 24]
const looked = [0, 0, 0].map((_, word) =>
  [0, 0, 0].map((_, tone) =>
    test.clips.reduce((sum, { tones }, b) => {
      const { from, to } = tones[tone]!;
      const row = all.subarray((4 * b + word) * 24, (4 * b + word + 1) * 24);
      const inside = row.filter(
        (_, s) => 0.02 * s >= from - 0.02 && 0.02 * s < to,
      );
      return sum + inside.reduce((a, x) => a + x, 0) / test.clips.length;
    }, 0),
  ),
);
looked.forEach((row, i) =>
  print(
    `word ${i + 1}: ${row.map((x) => `${Math.round(100 * x)} %`).join(", ")} on the three tones`,
  ),
);
check("most words are right", share > 0.8);
check(
  "each word looks most at its own tone",
  looked.every((row, i) => row.indexOf(Math.max(...row)) === i),
);

import { gatedDeltaRule, mixerLayer } from "@qkv/attention";
import { check, print, show } from "@qkv/page";
import { mapTensors, silu, slice, type Tensor } from "@qkv/tensor";
import { adamW, warmupCosine } from "@qkv/tensor/optimizers";
import {
  cacheFor,
  decoder,
  generate,
  type DecoderConfig,
} from "@qkv/transformer";
import {
  meanLoss,
  nextTokenBatches,
  tokenLoss,
  train,
} from "@qkv/transformer/training";
import { attentionMap, bars, lines } from "@qkv/viz";
import { wasm } from "@qkv/wasm";

const [seed, steps, T] = [1, 120, 64];
const device = await wasm();

// Little stories, a token for each character. The last sentence of a story
// names the animal again that its first one named.
const pick = (list: string, n: number) => {
  const words = list.split(" ");
  return words[n % words.length]!;
};
const story = (n: number) => {
  const animal = pick("cat dog owl fox hen bee", n * 7 + (n >> 3));
  const place = pick("mat rug log hill roof", n * 3 + (n >> 2));
  const verb = pick("sat ran slept", n * 5 + (n >> 4));
  return `a ${animal} ${verb} on the ${place}. the ${place} is old. good ${animal}!\n`;
};
const text = Array.from({ length: 300 }, (_, n) => story(n)).join("");
const letters = [...new Set(text)].sort();
const encode = (text: string) =>
  Array.from(text, (letter) => letters.indexOf(letter));
const ids = encode(text);
const held = Math.floor(0.9 * ids.length);
const options = { batchSize: 8, contextLength: T, seed, device };
const batchAt = nextTokenBatches(ids.slice(0, held), options);
const test = nextTokenBatches(ids.slice(held), options)(0);

// A stack is a list of layers.
const size = { embedDim: 32, numHeads: 2 };
const gatedDelta = mixerLayer({
  ...size,
  mixer: gatedDeltaRule(),
  convolution: 4, // over a token and the three before it
  outputGate: silu,
});
const stacks: Record<string, DecoderConfig["layerTypes"]> = {
  attention: ["full", "full", "full"],
  hybrid: [gatedDelta, gatedDelta, "full"],
};

const runs = [];
for (const [name, layerTypes] of Object.entries(stacks)) {
  const model = decoder({
    ...size,
    vocabSize: letters.length,
    hiddenDim: 64,
    numLayers: 3,
    numKvHeads: size.numHeads,
    layerTypes: layerTypes!,
    contextLength: 256,
    normEps: 1e-5,
    stopIds: [],
  });
  const params = mapTensors(model.init(seed), (x) => x.to(device));
  const learningRate = warmupCosine({ peak: 0.01, warmupSteps: 10, steps });
  const optimizer = adamW({ learningRate, betas: [0.9, 0.99] });
  const loss = tokenLoss(model);
  const losses: number[] = [];
  let timeMs = 0;
  const common = { params, loss, optimizer, batchAt, steps, maxNorm: 1 };
  for await (const report of train(common)) {
    losses.push(report.loss);
    timeMs += report.timeMs;
  }
  const after = await meanLoss(loss, params, [test]);
  print(
    `${name}: held-back loss ${after.toFixed(3)}, ${steps} steps in ` +
      `${(timeMs / 1000).toFixed(1)} s on your device`,
  );
  runs.push({ name, model, params, losses, after });
}
show(
  lines(
    { data: runs.flatMap(({ losses }) => losses), shape: [2, steps] },
    {
      title: "loss, in nats per character",
      labels: runs.map(({ name }) => name),
    },
  ),
);

// Both write on. A cache holds keys and values of layers with attention, and a
// state of the others.
const lengths = [16, 64, 256];
const bytes: number[] = [];
for (const { name, model, params } of runs) {
  let story = "a fox ";
  const trained = { ...model, params, tokenizer: undefined };
  for await (const { id } of generate(trained, encode(story), {
    maxTokens: 44,
  }))
    story += letters[id]!;
  print(`${name} writes: ${story.trim()}`);
  for (const length of lengths) {
    const cache = cacheFor(model.config);
    model.apply(params, ids.slice(0, length), { cache, last: 1 });
    bytes.push(cache.bytes);
  }
}
show(
  bars(
    { data: bytes.map((n) => n / 1024), shape: [bytes.length] },
    {
      title: "cache of one text",
      unit: "KiB",
      labels: runs.flatMap(({ name }) =>
        lengths.map((length) => `${name}, ${length} tokens`),
      ),
    },
  ),
);

// The layer of the hybrid that looks back at single tokens.
const hybrid = runs[1]!;
const tensors: Record<string, Tensor> = {};
const line = story(1).trimEnd();
hybrid.model.apply(hybrid.params, encode(line), {
  trace: { names: ["weights"], tensors },
});
for (const [head, weights] of Object.values(tensors).flatMap((x) => [
  [0, x] as const,
  [1, x] as const,
]))
  show(
    attentionMap(slice(slice(weights, 0, 0, 1), 1, head, head + 1), {
      title: `attention of the hybrid, head ${head}`,
      rowLabels: [...line],
      columnLabels: [...line],
      cellSize: 8,
    }),
  );
check("the hybrid learns as well", hybrid.after < runs[0]!.after + 0.1);
check("its cache grows more slowly", bytes[5]! < bytes[2]! / 2);

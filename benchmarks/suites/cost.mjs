// Compares the time of a token predicted by @qkv/cost with the measured time, for twelve random decoders of 1 to 100
// million parameters, with multi-head, grouped-query and multi-query attention in turn. The contender "predicted"
// calibrates the machine in each round, with other models and products. The ratio to it is predicted time over measured
// time.
import { clockOf } from "../clock.mjs";
import { openDevice } from "../peers/ours.mjs";

/** Tokens in the cache. */
const context = 256;
const kinds = ["mha", "gqa", "mqa"];

export const rows = ({ devices }) =>
  randomModels(12).map((model, i) => ({
    id: `cost/${kinds[i % 3]}-${(sizeOf(model) / 1e6).toFixed(1)}M`,
    unit: "ms",
    better: "low",
    contenders: devices.flatMap((spec) => [
      {
        name: `measured on ${spec}`,
        kind: "ours",
        resident: "state",
        async prepare({ threads, clock }) {
          const { run } = await openModel(model, context, await openDevice(spec, threads));
          const now = clockOf({ clock });
          // The time that engines take to compile all code.
          shortest(run, now, 1500);
          return { threads, measure: () => shortest(run, now, 400) };
        },
      },
      {
        name: `predicted for ${spec}`,
        kind: "limit",
        async prepare({ threads, clock }) {
          const predict = await predictor(await openDevice(spec, threads), clockOf({ clock }));
          return { threads, measure: () => predict(model) };
        },
      },
    ]),
  }));

/** @returns `(model) => ms`, which calibrates the machine each time. */
async function predictor(device, now) {
  const [{ calibrate, estimate, measure }, { linear, ones }] = await Promise.all([
    import("@qkv/cost"),
    import("@qkv/tensor"),
  ]);
  // Two models so small that starting operations dominates, and one that exceeds the inner caches; none of the
  // predicted models.
  const models = [small(64, 4, 256), small(192, 4, 256), small(256, 12, 4096)];
  const passes = await Promise.all(models.map((each) => openModel(each, 128, device)));
  const matrices = [];
  const prepare = ({ rows, width, matrices: count }) => {
    while (matrices.length < count) matrices.push(ones([width, width]).to(device));
    const x = ones([rows, width]).to(device);
    return () =>
      device.scope(() => {
        for (let i = 0; i < count; i++) linear(x, matrices[i]);
      });
  };
  return async (model) => {
    const machine = calibrate(measure(prepare, { now, budgetMs: 60, passes }));
    return estimate(await costOf(model, context), machine).timeMs;
  };
}

/** A decoder with weights of 1 on the device, and its next token. */
async function openModel(model, length, device) {
  const [{ decoder }, { growingCache }, { ones }] = await Promise.all([
    import("@qkv/transformer"),
    import("@qkv/kv-cache"),
    import("@qkv/tensor"),
  ]);
  const { embedDim: C, hiddenDim: F, numHeads, numKvHeads, numLayers, vocabSize } = model;
  const keys = (C / numHeads) * numKvHeads;
  const weight = (...shape) => ({ weight: ones(shape).to(device) });
  const params = {
    embedding: weight(vocabSize, C),
    layers: Array.from({ length: numLayers }, () => ({
      attentionNorm: weight(C),
      attention: { query: weight(C, C), key: weight(keys, C), value: weight(keys, C), output: weight(C, C) },
      feedForwardNorm: weight(C),
      feedForward: { gate: weight(F, C), up: weight(F, C), down: weight(C, F) },
    })),
    norm: weight(C),
  };
  const rotary = { ropeBase: 10000, ropeLayout: "half" };
  const network = decoder({ ...model, ...rotary, contextLength: 2 * length, normEps: 1e-5, stopIds: [] });
  const cache = growingCache({ numLayers });
  network.apply(params, new Array(length).fill(1), { cache });
  return {
    cost: await costOf(model, length),
    run() {
      void network.apply(params, [1], { cache }).data;
      if (cache.length >= length + 16) cache.crop(length);
    },
  };
}

/** Cost of the token in the middle of those in a round. */
async function costOf(model, length) {
  const { cost, formats, readConfig } = await import("@qkv/cost");
  const shape = readConfig({
    model_type: "llama",
    hidden_size: model.embedDim,
    num_attention_heads: model.numHeads,
    num_key_value_heads: model.numKvHeads,
    intermediate_size: model.hiddenDim,
    num_hidden_layers: model.numLayers,
    vocab_size: model.vocabSize,
    tie_word_embeddings: true,
  });
  const { float32 } = formats;
  return cost(shape, {
    contextLength: length + 8,
    formats: { weights: float32, activations: float32, cache: float32 },
  });
}

/** Milliseconds of one call: the minimum, over enough calls at a time for a coarse clock. */
function shortest(run, now, budgetMs) {
  let [best, runs] = [Infinity, 1];
  const start = now();
  while (best === Infinity || now() - start < budgetMs) {
    const before = now();
    for (let i = 0; i < runs; i++) run();
    const took = now() - before;
    if (took < 10) runs *= 2;
    else best = Math.min(best, took / runs);
  }
  return best;
}

const small = (width, numLayers, vocabSize) => ({
  embedDim: width,
  hiddenDim: 2 * width,
  numHeads: 4,
  numKvHeads: 2,
  numLayers,
  vocabSize,
});

const sizeOf = ({ embedDim: C, hiddenDim: F, numHeads, numKvHeads, numLayers, vocabSize }) =>
  vocabSize * C + C + numLayers * (2 * C * C + 2 * ((C * numKvHeads) / numHeads) * C + 3 * C * F + 2 * C);

/** Shapes whose sizes grow by a constant factor: among many random shapes, the nearest to each size. */
function randomModels(count) {
  const random = randomNumbers(7);
  const pick = (...list) => list[Math.floor(random() * list.length)];
  return Array.from({ length: count }, (_, i) => {
    const wanted = 1e6 * 100 ** (i / (count - 1));
    const drawn = Array.from({ length: 300 }, () => {
      const numHeads = pick(4, 6, 8, 12, 16);
      const embedDim = numHeads * pick(32, 48, 64);
      return {
        embedDim,
        hiddenDim: 8 * Math.round((embedDim * pick(2.5, 3, 4)) / 8),
        numHeads,
        numKvHeads: [numHeads, numHeads / 2, 1][i % 3],
        numLayers: pick(2, 3, 4, 6, 8, 12),
        vocabSize: pick(512, 1024, 2048, 4096, 8192, 16000),
      };
    });
    const away = (model) => Math.abs(Math.log(sizeOf(model) / wanted));
    return drawn.reduce((best, model) => (away(model) < away(best) ? model : best));
  });
}

/** Uniform numbers in [0, 1), the same in every process (mulberry32). */
function randomNumbers(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

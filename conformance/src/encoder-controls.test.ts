import { flip, js, mul, ones, zeros } from "@qkv/tensor";
import {
  denseModule,
  encoder,
  loadAny,
  poolingModule,
  type EncoderConfig,
  type EncoderModel,
  type EncoderParams,
  type Model,
  type PoolingMode,
  type SentenceModule,
} from "@qkv/transformer";
import { expect, test } from "vitest";
import { ownData } from "../reference-data.mjs";
import type { Target } from "./case.js";
import { passes, type Check } from "./check.js";
import { compareEncoder } from "./families/hf-encoders.js";
import { modelFiles, modelFolder } from "./families/model-files.js";
import { compareSentence, sentenceFiles, type SentenceEntry } from "./families/sentence-transformers.js";
import { readTensor } from "./reference-tensor.js";

// Negative controls: an encoder without a trait, a head with another activation, or another pooling replaces that of a
// folder, and the cases of that folder must fail.
const target: Target = { device: js(), class: "host" };

type Entry = { name: string; inputs: unknown[]; outputs: unknown[] };

/** The folder of a model: in `hf/`, otherwise in `hf-more/`. */
const folderOf = (name: string): string => modelFolder(ownData, name);
type Change = { config?: Partial<EncoderConfig>; params?: (params: EncoderParams) => EncoderParams };

/** The outputs that fail in a folder's cases. */
async function failuresOf(folder: string, change: Change): Promise<string[]> {
  const { cases } = ownData.json(`${folderOf(folder)}/refs.json`) as { cases: Entry[] };
  const model = (await loadAny(modelFiles(ownData, folderOf(folder)))) as EncoderModel;
  const config = { ...model.config, ...change.config };
  const { apply, maskedTokenLogits } = encoder(config);
  const params = change.params?.(model.params) ?? model.params;
  const changed: EncoderModel = { ...model, config, params, apply, maskedTokenLogits };
  const checks: Check[] = [];
  for (const { inputs, outputs } of cases)
    checks.push(...(await compareEncoder(changed, inputs.map(readTensor), outputs.map(readTensor), target)));
  return [...new Set(checks.filter((check) => !passes(check)).map(({ output }) => output))];
}

const inLayers =
  (change: (layer: EncoderParams["layers"][number]) => EncoderParams["layers"][number]) =>
  (params: EncoderParams): EncoderParams => ({ ...params, layers: params.layers.map(change) });

const rows = "last_hidden_state";

/** Scores of DeBERTa's first version, and a change. */
const distances = (change: Partial<NonNullable<EncoderConfig["disentangled"]>>): Partial<EncoderConfig> => ({
  disentangled: { numDistances: 8, terms: ["c2p", "p2c"], ...change },
});
const v2 = { numDistances: 3 };
const v3 = { numDistances: 6, maxDistance: 12, sharedProjections: true, norm: true };
const headOf = (folder: string) =>
  loadAny(modelFiles(ownData, folderOf(folder))).then((model) => (model as EncoderModel).config.head!);

test.each<[folder: string, trait: string, change: Change, output: string]>([
  ["albert", "layers that share weights", { config: { numLayers: 1 } }, rows],
  ["albert", "the tanh form of GELU", { config: { activation: "gelu" } }, rows],
  [
    "electra",
    "the map of narrow embeddings",
    {
      params: (all) => ({
        ...all,
        embeddingProjection: { weight: all.embeddingProjection!.weight, bias: zeros([48]) },
      }),
    },
    rows,
  ],
  ["mpnet", "a bias for distances", { config: { relativeBias: { numBuckets: 32, maxDistance: 11 } } }, rows],
  ["modernbert", "windows", { config: { layerTypes: ["full", "full", "full", "full"] } }, rows],
  ["modernbert", "the width of windows", { config: { window: 11 } }, rows],
  ["modernbert", "the base of windows", { config: { slidingRopeBase: 160_000 } }, rows],
  ["modernbert", "the base of full layers", { config: { ropeBase: 10_000 } }, rows],
  [
    "modernbert",
    "a first layer without a norm",
    {
      config: { firstLayerNorm: true },
      params: ({ layers: [first, ...more], ...all }) => ({
        ...all,
        layers: [{ ...first!, attentionNorm: { weight: ones([48]) } }, ...more],
      }),
    },
    rows,
  ],
  [
    "modernbert",
    "the norm after the last layer",
    { params: (all) => ({ ...all, finalNorm: { weight: ones([48]) } }) },
    rows,
  ],
  [
    "nomic-bert",
    "gates",
    {
      params: inLayers((layer) => ({
        ...layer,
        feedForward: { up: layer.feedForward.up, down: layer.feedForward.down },
      })),
    },
    rows,
  ],
  ["nomic-bert", "the rotary base", { config: { ropeBase: 10_000 } }, rows],
  [
    "nomic-bert",
    "types of segments",
    { params: (all) => ({ ...all, types: { weight: zeros([2, 48]) } }) },
    rows,
  ],
  ["distilbert-mlm", "the activation", { config: { activation: "relu" } }, "logits"],
  [
    "camembert",
    "positions after that of padding",
    { params: (all) => ({ ...all, positions: { weight: flip(all.positions.weight, 0) } }) },
    "logits",
  ],
  ["roberta-prelayernorm", "norms before each part", { config: { placement: "post" } }, "logits"],
  [
    "roberta-prelayernorm",
    "the norm after the last layer",
    { params: (all) => ({ ...all, finalNorm: { weight: ones([12]) } }) },
    "logits",
  ],
  ["xlm-roberta-xl", "norms before each part", { config: { placement: "post" } }, "logits"],
  [
    "xlm-roberta-xl",
    "embeddings as they are",
    {
      config: { embeddingNorm: true },
      params: (all) => ({ ...all, embeddingNorm: { weight: ones([12]), bias: zeros([12]) } }),
    },
    "logits",
  ],
  ["electra-mlm", "its activation", { config: { activation: "relu" } }, "logits"],
  [
    "electra-mlm",
    "the bias of its masked tokens",
    {
      params: (all) => ({
        ...all,
        maskedTokenHead: { ...all.maskedTokenHead!, bias: zeros([24]) },
      }),
    },
    "logits",
  ],
  ["albert-mlm", "the tanh form of GELU", { config: { activation: "relu" } }, "logits"],
  ["albert-mlm", "layers that share weights", { config: { numLayers: 1 } }, "logits"],
  ["jina-bert", "a bias for distances", { config: { positions: "none" } }, rows],
  ["jina-bert", "its activation", { config: { activation: "relu" } }, rows],
  [
    "jina-bert",
    "gates",
    {
      params: inLayers((layer) => ({
        ...layer,
        feedForward: { up: layer.feedForward.up, down: layer.feedForward.down },
      })),
    },
    rows,
  ],
  ["esm", "rotary positions", { config: { positions: "none" } }, "logits"],
  ["esm", "mask tokens of 0", { config: { tokenDropout: { maskId: 0, padId: 1 } } }, "logits"],
  ["esm", "the length of a text", { config: { tokenDropout: { maskId: 23, padId: 0 } } }, "logits"],
  [
    "esm",
    "the scale of training",
    { params: (all) => ({ ...all, embedding: { weight: mul(all.embedding.weight, 1 / 0.88) } }) },
    "hidden.0",
  ],
  ["deberta", "products of queries and distances", { config: distances({ terms: ["p2c"] }) }, rows],
  ["deberta", "products of keys and distances", { config: distances({ terms: ["c2p"] }) }, rows],
  [
    "deberta",
    "the row of a distance of 0",
    { params: (all) => ({ ...all, distances: { weight: flip(all.distances!.weight, 0) } }) },
    rows,
  ],
  ["deberta-v2", "maps of distances", { config: distances({ ...v2, sharedProjections: true }) }, "logits"],
  ["deberta-v2", "the farthest distance", { config: distances({ ...v2, numDistances: 2 }) }, "logits"],
  ["deberta-v3", "buckets of distances", { config: distances({ ...v3, maxDistance: 7 }) }, "logits"],
  ["deberta-v3", "a norm of the table of distances", { config: distances({ ...v3, norm: false }) }, "logits"],
])("hf/%s without %s fails", async (folder, _, change, output) => {
  expect(await failuresOf(folder, {})).toEqual([]);
  expect(await failuresOf(folder, change)).toContain(output);
});

test.each<[folder: string, change: Partial<NonNullable<EncoderConfig["head"]>>, outputs: string[]]>([
  ["bert-pooler", { activation: "gelu" }, ["pooler_output"]],
  ["mpnet", { activation: "relu" }, ["pooler_output"]],
  ["bert-sequence-classification", { activation: "relu" }, ["logits", "scores"]],
  ["bert-multi-label", { scores: "softmax" }, ["scores"]],
  ["bert-regression", { pooling: "mean" }, ["logits"]],
  ["bert-token-classification", { scores: "sigmoid" }, ["scores"]],
  ["xlm-roberta-token-classification", { scores: "sigmoid" }, ["scores"]],
  ["distilbert-sequence-classification", { activation: "tanh" }, ["logits", "scores"]],
  ["electra-sequence-classification", { activation: "tanh" }, ["logits", "scores"]],
  ["roberta-sequence-classification", { activation: "gelu" }, ["logits", "scores"]],
  [
    "roberta-nli",
    { labels: ["entailment", "neutral", "contradiction"] },
    ["zero_shot_single_label", "zero_shot_multi_label"],
  ],
  ["albert-sequence-classification", { activation: "gelu" }, ["logits", "scores"]],
  ["data2vec-text", { activation: "gelu" }, ["logits", "scores"]],
  ["deberta-v3", { activation: "tanh" }, ["logits", "scores"]],
  ["modernbert-sequence-classification", { pooling: "mean" }, ["logits", "scores"]],
  ["modernbert-sequence-classification-mean", { pooling: "cls" }, ["logits", "scores"]],
  ["modernbert-sequence-classification", { normEps: 1 }, ["logits", "scores"]],
])("the head of hf/%s with %o fails", async (folder, change, outputs) => {
  const failed = await failuresOf(folder, { config: { head: { ...(await headOf(folder)), ...change } } });
  expect(failed).toEqual(outputs);
});

test.each(["bert-question-answering", "distilbert-question-answering"])(
  "the head of hf/%s with start and end exchanged fails",
  async (folder) => {
    const failed = await failuresOf(folder, {
      params: (all) => {
        const { weight, bias } = all.head!.output!;
        const exchange = (x: typeof weight) => flip(x, 0);
        return { ...all, head: { output: { weight: exchange(weight), bias: exchange(bias!) } } };
      },
    });
    expect(failed).toEqual(["start_logits", "end_logits"]);
  },
);

/** The outputs that fail in a folder of sentence-transformers with other modules. */
async function sentenceFailures(
  folder: string,
  change: (modules: readonly SentenceModule[]) => readonly SentenceModule[],
): Promise<string[]> {
  const path = `sentence-transformers/${folder}`;
  const { cases } = ownData.json(`${path}/refs.json`) as { cases: SentenceEntry[] };
  const model = (await loadAny(sentenceFiles(ownData, path))) as Model | EncoderModel;
  const sentence = { ...model.sentence!, modules: change(model.sentence!.modules) };
  const checks: Check[] = [];
  for (const one of cases)
    checks.push(...(await compareSentence({ ...model, sentence } as typeof model, one, target)));
  return [...new Set(checks.filter((check) => !passes(check)).map(({ output }) => output))];
}

const pooling =
  (...modes: PoolingMode[]) =>
  ([, ...more]: readonly SentenceModule[]): SentenceModule[] => [
    poolingModule(modes, { name: "1_Pooling" }),
    ...more,
  ];

test.each<[folder: string, modes: PoolingMode[]]>([
  ["bert-mean-normalize", ["cls"]],
  ["bert-cls-dense", ["mean"]],
  ["bert-max", ["mean"]],
  ["bert-mean-sqrt-len", ["mean"]],
  ["bert-weightedmean", ["mean"]],
  ["bert-mean-no-prompt", ["mean"]],
  ["bert-cls-mean-max-dense", ["cls", "max", "mean_sqrt_len"]],
  ["gemma3-mean-dense-dense", ["lasttoken"]],
  ["mpnet-mean", ["weightedmean"]],
  ["qwen3-lasttoken", ["mean"]],
])("sentence-transformers/%s pooled by %o fails", async (folder, modes) => {
  expect(await sentenceFailures(folder, (own) => own)).toEqual([]);
  const failed = await sentenceFailures(folder, pooling(...modes));
  expect(failed).toContain("1_Pooling");
  expect(failed).toContain("sentence_embedding");
});

test("sentence-transformers: a dense module without its activation fails, and a chain without its scale", async () => {
  const bare = denseModule({ weight: ones([20, 32]) }, { name: "2_Dense" });
  expect(await sentenceFailures("bert-cls-dense", ([pool]) => [pool!, bare])).toContain("2_Dense");
  const unscaled = await sentenceFailures("bert-mean-normalize", ([pool]) => [pool!]);
  expect(unscaled).toEqual(["2_Normalize", "sentence_embedding"]);
});

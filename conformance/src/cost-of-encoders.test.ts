import {
  cost,
  formats,
  kvCache,
  memory,
  parameters,
  readConfig,
  type Call,
  type ModelShape,
} from "@qkv/cost";
import { count, randn, tensor, tensorsOf } from "@qkv/tensor";
import {
  cacheFor,
  loadAny,
  loadDualEncoder,
  loadEncoder,
  loadEncoderDecoder,
  loadSpeech,
  loadVision,
  sourceCache,
  type EncoderDecoderModel,
} from "@qkv/transformer";
import { expect, test } from "vitest";
import { ownData } from "../reference-data.mjs";
import { modelFolder } from "./families/model-files.js";

// Compares the cost model of encoders, encoder–decoders, image models and speech models with the parameters and FLOPs
// of the packages.

const path = (name: string) => ownData.path(modelFolder(ownData, name));
const configOf = (name: string) =>
  ownData.json(`${modelFolder(ownData, name)}/config.json`) as Record<string, unknown>;
const numbersOf = (tree: unknown) => tensorsOf(tree as never).reduce((sum, { data }) => sum + data.length, 0);
// The plain kernel computes whole tiles of 64 queries and keys.
const flopsOf = (shape: ModelShape, call: Call) => cost(shape, { ...call, tileSize: 64 }).flops;

/** Encoders whose checkpoint has a pooler, which is loaded as the head. */
const pooled = new Set(["albert", "bert-pooler", "mpnet", "roberta", "vit", "xlm-roberta"]);
/** Elements in a checkpoint that loading drops: rows of positions before the first one, a row for masked patches. */
const dropped: Readonly<Record<string, number>> = {
  ...{ camembert: 2 * 12, "roberta-prelayernorm": 2 * 12, "xlm-roberta-xl": 2 * 12 },
  ...{ mbart: 2 * 2 * 12, plbart: 2 * 2 * 12 },
  ...{ bart: 2 * 2 * 48, dinov2: 48, mpnet: 2 * 32, roberta: 2 * 48, "xlm-roberta": 2 * 48 },
};
/** Elements in a checkpoint that are not learned: zero biases of logits. */
const fixed: Readonly<Record<string, number>> = {
  ...{ bart: 112, marian: 112 },
  ...{ mbart: 24, plbart: 24, pegasus: 24, blenderbot: 24 },
};

test.each([
  ...["albert", "bert-mlm", "bert-pooler", "distilbert", "electra", "modernbert", "mpnet", "nomic-bert"],
  ...["roberta", "xlm-roberta", "bart", "m2m-100", "marian", "t5", "t5-gated", "moonshine", "whisper"],
  ...["vit", "vit-classifier", "dinov2", "clip", "siglip"],
  ...["camembert", "roberta-prelayernorm", "xlm-roberta-xl"],
  ...["mbart", "plbart", "pegasus", "blenderbot", "mt5", "umt5"],
])("parameters of %s equal those of the loaded model", async (name) => {
  const { params } = (await loadAny(path(name))) as { params: Record<string, unknown> };
  const { head, maskedTokenHead: _, ...own } = params;
  const numbers = numbersOf(own) + (pooled.has(name) ? numbersOf(head) : 0);
  expect(parameters(readConfig(configOf(name))).total).toBe(
    numbers + (dropped[name] ?? 0) - (fixed[name] ?? 0),
  );
});

test.each([
  ...["albert", "bert-mlm", "distilbert", "electra", "modernbert", "mpnet", "nomic-bert", "roberta"],
])("FLOPs of %s equal those of a forward pass", async (name) => {
  const { apply, params } = await loadEncoder(path(name));
  const shape = readConfig({ ...configOf(name), add_pooling_layer: false });
  for (const queryLength of [1, 7]) {
    const { flops } = count(() => apply(params, new Array<number>(queryLength).fill(3)));
    expect(flopsOf(shape, { queryLength })).toBe(flops);
  }
});

test.each(["vit", "vit-classifier", "dinov2"])("FLOPs of %s equal those of a forward pass", async (name) => {
  const { apply, params } = await loadVision(path(name));
  const shape = readConfig({ ...configOf(name), add_pooling_layer: false });
  for (const batchSize of [1, 3]) {
    const { flops } = count(() => apply(params, randn([batchSize, 3, 16, 16], { seed: 1 })));
    expect(flopsOf(shape, { batchSize })).toBe(flops);
    expect(cost(shape, { batchSize }).tokens).toBe(17 * batchSize);
  }
});

test.each(["clip", "siglip"])("FLOPs of %s equal those of a text and an image", async (name) => {
  const { embedTexts, embedImages, params } = await loadDualEncoder(path(name));
  const shape = readConfig(configOf(name));
  const T = 9;
  const ids = tensor([new Array<number>(T).fill(3)], { dtype: "int32" });
  const text = count(() => embedTexts(params, ids)).flops;
  const image = count(() => embedImages(params, randn([1, 3, 16, 16], { seed: 1 }))).flops;
  // Not in the cost: vectors are divided by their norm.
  const [C, P] = [shape.embedDim, shape.projection!.outputs];
  const unit = 2 * P + 1;
  // CLIP's activation takes three operations instead of one, and the row of a text's embedding is found by its token
  // id.
  const ofClip = name === "clip" ? 1 : 0;
  const [bentText, bentImage, found] = [2 * T * 80 * 2, 2 * 17 * 72 * 2, 2 * T * C + 3 * T];
  const { images } = shape;
  expect(flopsOf(images!, {})).toBe(image - unit - ofClip * bentImage);
  expect(flopsOf(shape, { queryLength: T })).toBe(
    text + image - 2 * unit - ofClip * (bentText + bentImage + found),
  );
});

/** FLOPs of the zero biases of logits, which the cost omits. */
const logitBias = (name: string, T: number) => T * (fixed[name] ?? 0);

test.each(["bart", "m2m-100", "marian", "t5", "t5-gated", "moonshine", "whisper"])(
  "FLOPs of %s equal those of its encoder, of a prompt and of a step; its cache stores the keys and values of the source once",
  async (name) => {
    const isSpeech = name === "whisper" || name === "moonshine";
    const loaded = await (isSpeech ? loadSpeech(path(name)) : loadEncoderDecoder(path(name)));
    const model = loaded as EncoderDecoderModel; // both have an encoder for their kind of input
    const shape = readConfig(configOf(name));
    const S = name === "whisper" ? 20 : 11;
    // The smallest number of samples that gives 11 rows: the receptive field of the convolutions.
    const samples = ((2 * (S - 1) + 2) * 3 + 6) * 64 + 127;
    const input =
      name === "whisper"
        ? randn([1, 16, 2 * S], { seed: 1 })
        : name === "moonshine"
          ? randn([1, samples], { seed: 1 })
          : new Array<number>(S).fill(5);
    let source: ReturnType<typeof model.encode> | undefined;
    const encoding = count(() => (source = model.encode(model.params as never, input as never)));
    expect(source!.rows.shape[1]).toBe(S);
    const cache = sourceCache(cacheFor(model.config), source!);
    const prompt = count(() => model.apply(model.params, [1, 5, 6], { cache }));
    const held = { contextLength: 3, sourceLength: S, format: formats.float32 };
    const ofSource = source!.keyValues.reduce((sum, { key, value }) => sum + numbersOf([key, value]), 0);
    expect(kvCache(shape, held).bytes).toBe(cache.bytes + 4 * ofSource);
    expect(kvCache(shape, held).bytesPerSourceToken * S).toBe(4 * ofSource);
    const step = count(() => model.apply(model.params, [7], { cache }));
    const sourceLength = S;
    const later = { queryLength: 3, sourceLength, encodes: false };
    expect(flopsOf(shape, later)).toBe(prompt.flops - logitBias(name, 3));
    expect(flopsOf(shape, { ...later, encodes: true })).toBe(
      encoding.flops + prompt.flops - logitBias(name, 3),
    );
    expect(flopsOf(shape, { contextLength: 4, sourceLength })).toBe(step.flops - logitBias(name, 1));
  },
);

test("the source length of Whisper is that of its padded audio, that of others an argument", () => {
  const whisper = readConfig(configOf("whisper"));
  const call = { queryLength: 3 };
  expect(cost(whisper, call)).toEqual(cost(whisper, { ...call, sourceLength: 20 }));
  expect(memory(whisper).cacheBytes).toBe(kvCache(whisper, { sourceLength: 20 }).bytes);
  const t5 = readConfig(configOf("t5"));
  expect(cost(t5, call)).toEqual(cost(t5, { ...call, sourceLength: 3 }));
});

test.each(["deit", "dinov2-with-registers", "camembert"])(
  "parameters and FLOPs of %s in hf-more/",
  async (name) => {
    const folder = `hf-more/${name}`;
    const config = ownData.json(`${folder}/config.json`) as Record<string, unknown>;
    const bare = { ...config, add_pooling_layer: false, use_mask_token: false };
    const shape = readConfig(bare);
    const { params } = (await loadAny(ownData.path(folder))) as { params: Record<string, unknown> };
    const { head: _, maskedTokenHead: __, ...own } = params;
    // Rows of positions before the first one.
    const first = name === "camembert" ? 2 * shape.embedDim : 0;
    expect(parameters(shape).total).toBe(numbersOf(own) + first);
    if (name === "camembert") {
      const { apply, params } = await loadEncoder(ownData.path(folder));
      const { flops } = count(() => apply(params, [3, 3, 3, 3]));
      expect(flopsOf(shape, { queryLength: 4 })).toBe(flops);
    } else {
      const { apply, params } = await loadVision(ownData.path(folder));
      const { flops } = count(() => apply(params, randn([2, 3, 8, 8], { seed: 1 })));
      expect(flopsOf(shape, { batchSize: 2 })).toBe(flops);
    }
  },
);

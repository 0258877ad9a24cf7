import { additive, multiHead } from "@qkv/attention";
import { isQkvError } from "@qkv/core";
import { js, randn, tensor, zeros, type Device } from "@qkv/tensor";
import { sgd } from "@qkv/tensor/optimizers";
import { expect, test } from "vitest";
import * as transformer from "./index.js";
import * as audio from "./audio.js";
import * as exporting from "./export.js";
import * as inspection from "./inspection.js";
import * as patching from "./patching.js";
import * as processors from "./processors.js";
import * as tasks from "./tasks.js";
import * as training from "./training.js";

const {
  decoder,
  encoder,
  generate,
  generateBatch,
  candidates,
  promptLookup,
  evaluate,
  feedForward,
  gru,
  mixtureOfExperts,
  norm,
  quantize,
  recurrentTranslator,
  transformerLayer,
} = transformer;

const config: transformer.DecoderConfig = {
  vocabSize: 11,
  embedDim: 8,
  hiddenDim: 12,
  numLayers: 1,
  numHeads: 2,
  numKvHeads: 1,
  contextLength: 24,
  normEps: 1e-5,
  stopIds: [],
};
const network = decoder(config);
const params = network.init(1);
const model: transformer.Model = { config, params, tokenizer: undefined, apply: network.apply };
const { vocabSize, embedDim, hiddenDim, numLayers, numHeads, contextLength, normEps } = config;
const sizes = { vocabSize, embedDim, hiddenDim, numLayers, numHeads, contextLength, normEps };
const bert = encoder({ ...sizes, numTypes: 2 });

const encoderModel: transformer.EncoderModel = {
  ...bert,
  params: bert.init(1),
  tokenizer: { encode: () => [1] } as never,
};

async function refusal(call: () => unknown): Promise<{ message: string; fn: string }> {
  try {
    const result = await call();
    // A generator throws when its first item is requested.
    if (typeof (result as AsyncGenerator | undefined)?.next === "function")
      await (result as AsyncGenerator).next();
  } catch (error) {
    if (isQkvError(error)) return error;
    throw new Error("not an error of this library", { cause: error });
  }
  throw new Error("nothing was refused");
}

/** Values that are not valid arguments of most functions. */
const invalidValues: readonly unknown[] = [
  undefined,
  null,
  "text",
  5,
  NaN,
  true,
  [],
  [1.5],
  () => 1,
  new Date(0),
  zeros([2]),
];

type Any = (...args: unknown[]) => unknown;
type NewAny = new (value: unknown) => unknown;
const publicFunctions: readonly (readonly [name: string, fn: Any])[] = [
  ...Object.entries({
    ...{ ...transformer, ...audio, ...training, ...inspection, ...patching },
    ...{ ...processors, ...tasks },
  }),
]
  .filter((entry): entry is [string, never] => typeof entry[1] === "function")
  // Functions that read bytes and files are tested in load-refusals.test.ts.
  .filter(([name]) => !/^(load|read|write)/.test(name))
  // Classes are made with `new`.
  .map(([name, fn]) => [name, /^[A-Z]/.test(name) ? (value: unknown) => new (fn as NewAny)(value) : fn]);

test.each(publicFunctions)(
  "%s refuses invalid arguments with an error that names it, and throws no TypeError of JavaScript",
  async (name, fn) => {
    for (const value of invalidValues) {
      // Some values are valid arguments of some functions, which then must not throw.
      const error = await refusal(() => (fn as Any)(value)).catch((error: Error) => error);
      if (error instanceof Error && error.message === "nothing was refused") continue;
      expect(error, `${name}(${String(value)})`).toHaveProperty("fn");
      expect((error as { fn: string }).fn.split(".")[0], `${name}(${String(value)})`).toBe(name);
    }
  },
);

const decoderWith = (changes: object) => () => decoder({ ...config, ...changes });
const apply = (options: object) => () => network.apply(params, [1, 2, 3], options);

// Regression tests: each of these was once ignored, or ended in a TypeError of JavaScript.
test.each<[string, () => unknown, RegExp]>([
  [
    "a bias that is a boolean",
    decoderWith({ bias: true }),
    /^decoder: `config.bias` is true, expected an object with any of/,
  ],
  [
    "a bias of an unknown projection",
    decoderWith({ bias: { qkv: true } }),
    /^decoder: `qkv` is true, expected one of the options query/,
  ],
  [
    "a bias that is a string",
    decoderWith({ bias: { feedForward: "no" } }),
    /^decoder: `config.bias.feedForward` is "no"/,
  ],
  [
    "`gated` that is a string",
    decoderWith({ gated: "false" }),
    /^decoder: `gated` is "false", expected a boolean/,
  ],
  [
    "`bidirectional` that is a string",
    decoderWith({ bidirectional: "no" }),
    /^decoder: `bidirectional` is "no"/,
  ],
  [
    "stop ids that are strings",
    decoderWith({ stopIds: ["2"] }),
    /^decoder: `stopIds` is \["2"\], expected a list of token ids/,
  ],
  [
    "an unknown RoPE scaling",
    decoderWith({ ropeScaling: { type: "yarnn", factor: 2 } }),
    /^decoder: `ropeScaling.type` is "yarnn", expected "linear", .*\nFix: write `\{ type, … \}`/,
  ],
  [
    "a RoPE scaling without `type`",
    decoderWith({ ropeScaling: { rope_type: "linear", factor: 2 } }),
    /^decoder: `ropeScaling.type` is undefined/,
  ],
  [
    "a RoPE scaling with an option of another scaling",
    decoderWith({ ropeScaling: { type: "linear", factor: 2, originalLength: 8 } }),
    /^decoder: `originalLength` is 8, expected one of the options factor/,
  ],
  [
    "a query temperature with the field names of Hugging Face",
    decoderWith({ queryTemperature: { floor_scale: 8, attn_scale: 1 } }),
    /^decoder: `floor_scale` is 8.*\nFix: write `floorScale`/,
  ],
  [
    "a query temperature that is a string",
    decoderWith({ queryTemperature: { floorScale: "8", attnScale: 1 } }),
    /^decoder: `queryTemperature.floorScale` is "8"/,
  ],
  [
    "a window without a sliding layer",
    decoderWith({ window: 4 }),
    /^decoder: `window` is 4, expected nothing, as all layers are full.*\nFix: give `layerTypes`, "sliding"/,
  ],
  [
    "a chunk size without a chunked layer",
    decoderWith({ chunkSize: 4 }),
    /^decoder: `chunkSize` is 4, expected nothing, as all layers/,
  ],
  [
    "`normTopKProb` that is a string",
    decoderWith({ experts: { numExperts: 2, expertsPerToken: 1, normTopKProb: "false" } }),
    /^mixtureOfExperts: `normTopKProb` is "false", expected a boolean/,
  ],
  [
    "token types with another length than the ids",
    () => bert.apply(bert.init(1), [1, 2], { types: tensor([[0]], { dtype: "int32" }) }),
    /^encoder.apply: `types` has shape \[1, 1\], expected \[1, 2\], one for each token/,
  ],
  [
    "a model that was not awaited",
    () => exporting.exportModel(Promise.resolve(model) as never, { to: "hf", out: exporting.memoryFolder() }),
    /^exportModel: `model` is a promise \(`await` it\), expected a model/,
  ],
  [
    "an export without a folder",
    () => exporting.exportModel(model, { to: "hf" } as never),
    /^exportModel: `out` is undefined, expected a path or a folder\.\nFix: write `\{ out: "folder" \}`/,
  ],
  [
    "an unknown option of a format",
    () =>
      exporting.exportModel(model, { to: "gguf", out: exporting.memoryFolder(), quantize: "q8_0" } as never),
    /^exportModel: `quantize` is "q8_0", expected one of the options to, out, dtype/,
  ],
  [
    "an option of another format",
    () => exporting.exportModel(model, { to: "hf", out: exporting.memoryFolder(), opset: 17 } as never),
    /^exportModel: `opset` is 17, expected one of the options .*shardBytes/,
  ],
  [
    "a model that is already quantized",
    () => quantize(quantize(model, { kind: "int8" }).model, { kind: "int4" }),
    /^quantize: `model` is "a model whose layers\.0\..* is quantized", expected one of floats/,
  ],
  [
    "`gated` of feedForward that is a string",
    () => feedForward({ embedDim: 2, hiddenDim: 2, gated: "no" as never }),
    /^feedForward: `gated` is "no"/,
  ],
  [
    "several samples without a temperature",
    () => generateBatch(model, [[1]], { samples: 2 }),
    /^generateBatch: `samples` is 2, expected 1 without a temperature/,
  ],
  [
    "options in place of a cache",
    apply({ cache: { numLayers: 1 } }),
    /^decoder.apply: `cache` is an object .*\nFix: .*cacheFor/,
  ],
  [
    "the function that creates a cache",
    apply({ cache: transformer.cacheFor }),
    /^decoder.apply: `cache` is the function cacheFor/,
  ],
  [
    "a mask in place of padding lengths",
    apply({ padding: [1, 1, 0] }),
    /^decoder.apply: `padding` is \[1, 1, 0\], expected a list of one length, each from 0 to 3 tokens/,
  ],
  ["a padding length below 0", apply({ padding: [-1] }), /^decoder.apply: `padding` is \[-1\]/],
  [
    "a padding length above the number of tokens",
    apply({ padding: [4] }),
    /^decoder.apply: `padding` is \[4\]/,
  ],
  [
    "more layers than the configuration has",
    () => network.apply({ ...params, layers: [...params.layers, ...params.layers] }, [1]),
    /^decoder.apply: `params.layers` is "2 layers", expected 1, as the configuration says\.\nFix: take the params/,
  ],
  [
    "fewer layers than the configuration has",
    () => decoder({ ...config, numLayers: 2 }).apply(params, [1]),
    /^decoder.apply: `params.layers` is "1 layers", expected 2/,
  ],
  [
    "fewer layers of an encoder than its configuration has",
    () => encoder({ ...sizes, numLayers: 2, numTypes: 2 }).apply(bert.init(1), [1]),
    /^encoder.apply: `params.layers` is "1 layers", expected 2/,
  ],
  [
    "`topK` without a temperature",
    () => generate(model, [1], { sampling: { topK: 3 } }),
    /^generate: `topK` is 3, expected nothing without a temperature.*\nFix: write \{ temperature: 1, topK: 3 \}/,
  ],
  [
    "`topP` without a temperature",
    () => candidates([1, 2], { topP: 0.9 }),
    /^candidates: `topP` is 0.9, expected nothing without a temperature/,
  ],
  [
    "a logit bias of a token outside the vocabulary",
    () => generateBatch(model, [[1]], { sampling: { logitBias: { 11: 1 } } }),
    /^generateBatch: `logitBias` is "11: 1", expected token ids below 11/,
  ],
  [
    "no batches to evaluate",
    () => training.meanLoss(training.tokenLoss(network), params, []),
    /^meanLoss: `batches` is 0, expected one target or more/,
  ],
])("%s is refused", async (_, call, message) => {
  expect((await refusal(call)).message).toMatch(message);
});

test("`candidates` accepts an explicit temperature of 0 and explicit default values", () => {
  expect(candidates([1, 2], { temperature: 0, topK: 2, topP: 0.5 })).toHaveLength(1);
  expect(candidates([1, 2], { topK: Infinity, topP: 1, minP: 0 })).toHaveLength(1);
});

test.each<[string, () => unknown, RegExp]>([
  ["generate", () => generate(null as never, [1]), /^generate: `model` is null, expected a model/],
  ["generate", () => generate(model, null as never), /^generate: `prompt` is null/],
  [
    "generate",
    () => generate(model, undefined as never),
    /`prompt` is undefined, expected a text, or a list of token ids\.\nFix: write a text: `generate\(model, "/,
  ],
  ...[[{ role: "user", content: "Hello" }], { role: "user", content: "Hello" }].map(
    (messages): [string, () => unknown, RegExp] => [
      "generate",
      () => generate(model, messages as never),
      /`prompt` is "messages of a chat".*\nFix: .*`chatTemplate\(tokenizerConfig\)\.render\(messages.*@qkv\/tokenizer\/chat.*apply_chat_template/,
    ],
  ),
  [
    "beamSearch",
    () => transformer.beamSearch(model, [[{ role: "user", content: "Hello" }]] as never),
    /`prompt` is "messages of a chat"/,
  ],
  [
    "generate",
    () => generate(model, [1], { temperature: 1 } as never),
    /`temperature` is 1.*\nFix: write `sampling: \{ temperature \}`/,
  ],
  [
    "generate",
    () => generate(model, [1], { max_new_tokens: 3 } as never),
    /`max_new_tokens` is 3.*\nFix: write `maxTokens`/,
  ],
  [
    "generate",
    () => generate(model, [1], { sampling: { topk: 3 } as never }),
    /`topk` is 3.*\nFix: write `topK`/,
  ],
  ["generate", () => generate(model, [1], 5 as never), /`options` is 5/],
  ["generate", () => generate([1] as never, model as never), /`model` is \[1\]/],
  ["generate", () => generate(model, [1], { stop: "END" as never }), /`stop` is "END", expected a list/],
  ["generate", () => generate(model, [1], { stop: [11] }), /`stop` is 11/],
  ["generate", () => generate(model, [1], { logprobs: -1 }), /`logprobs` is -1/],
  ["generateBatch", () => generateBatch(model, "text" as never), /`prompts` is "text", expected a list/],
  ["generateBatch", () => generateBatch(model, [[1]], { samples: 0 }), /`samples` is 0/],
  [
    "generateBatch",
    () => generateBatch(model, [[1]], { temperature: 1 } as never),
    /sampling: \{ temperature \}/,
  ],
  [
    "generate",
    () => generate(model, [1], { processors: [{}] as never }),
    /`processors` is an object.*\nFix: make them by the functions of @qkv\/transformer\/processors/,
  ],
  [
    "generate",
    () => generate(model, [1], { num_beams: 4 } as never),
    /`num_beams` is 4, expected no option of beam search\.\nFix: call `beamSearch/,
  ],
  ["generateBatch", () => generateBatch(model, [[1]], { numBeams: 4 } as never), /Fix: call `beamSearch/],
  [
    "generateBatch",
    () => generateBatch(model, [[1]], { cache: { length: 0 } as never }),
    /`cache` is an object.*expected a cache that can reorder/,
  ],
  ["generateBatch", () => generateBatch(model, [[1]], { padId: 11 }), /`padId` is 11, expected a token id/],
  [
    "generate",
    () => generate(model, [1], { no_repeat_ngram_size: 3 } as never),
    /Fix: write `processors: \[noRepeatNgram\(…\)\]`/,
  ],
  [
    "generate",
    () => generate(model, [1], { min_new_tokens: 3 } as never),
    /Fix: write `processors: \[minNewTokens\(…\)\]`/,
  ],
  ["candidates", () => candidates("abc" as never), /`logits` is "abc"/],
  ["candidates", () => candidates([1, 2], { temperatur: 1 } as never), /write `temperature`/],
  ["candidates", () => candidates([1, 2], {}, [1] as never), /`history` is \[1\]/],
  [
    "promptLookup",
    () => promptLookup([1, 2], { size: 3 } as never),
    /`size` is 3, expected one of the options ngramSize, draftLength/,
  ],
  ["evaluate", () => evaluate(model, ["text"]), /expected token ids, since the model has no tokenizer/],
  ["evaluate", () => evaluate(model, "text" as never), /`texts` is "text", expected a list/],
  ["evaluate", () => evaluate(model, [[1, 2]], { context: 3 } as never), /write `contextLength`/],
  ["decoder", () => decoder(undefined as never), /^decoder: `vocabSize` is undefined, expected an integer/],
  [
    "decoder",
    () => decoder({ ...config, num_heads: 4 } as never),
    /`num_heads` is 4.*\nFix: write `numHeads`/,
  ],
  ["decoder", () => decoder({ ...config, normEps: NaN }), /`normEps` is NaN, expected a finite number/],
  ["decoder", () => decoder({ ...config, normEps: -1 }), /`normEps` is -1/],
  ["decoder", () => decoder({ ...config, ropeBase: 0 }), /`ropeBase` is 0/],
  ["decoder", () => decoder(config, { linaer: 1 } as never), /write `linear`/],
  ["decoder.apply", () => network.apply({} as never, [1]), /`params.embedding.weight` is undefined/],
  [
    "decoder.apply",
    () => network.apply([1] as never, params as never),
    /`params` is \[1\].*\nFix: give the params first, then the input/,
  ],
  ["decoder.apply", () => network.apply(params, params as never), /`ids` is an object/],
  ["decoder.apply", () => network.apply(params, [1], { masks: 1 } as never), /write `mask`/],
  ["decoder.apply", () => network.apply(params, [1], { last: 0 }), /`last` is 0/],
  ["encoder", () => encoder(undefined as never), /`vocabSize` is undefined/],
  ["encoder.apply", () => bert.apply({} as never, [1]), /`params.embedding.weight` is undefined/],
  ["encoder.apply", () => bert.apply([1] as never, bert.init(1) as never), /give the params first/],
  [
    "encoder.apply",
    () => bert.apply(bert.init(1), [1], { types: tensor([[2]], { dtype: "int32" }) }),
    /`types` is 2/,
  ],
  ["norm", () => norm({ kind: "rms", embedDim: 2, eps: NaN }), /`eps` is NaN/],
  ["norm", () => norm({ kind: "batch" as never, embedDim: 2 }), /`kind` is "batch"/],
  ["norm.apply", () => norm({ kind: "rms", embedDim: 2 }).apply({} as never, zeros([2])), /`params.weight`/],
  [
    "feedForward",
    () => feedForward({ embedDim: 2, hiddenDim: 2, dropout: 0.1 } as never),
    /`dropout` is 0.1/,
  ],
  [
    "feedForward.apply",
    () => feedForward({ embedDim: 2, hiddenDim: 2 }).apply({} as never, zeros([1, 1, 2])),
    /`params.up.weight`/,
  ],
  [
    "mixtureOfExperts.apply",
    () =>
      mixtureOfExperts({ embedDim: 2, hiddenDim: 2, numExperts: 2, expertsPerToken: 1 }).apply(
        {} as never,
        zeros([1, 1, 2]),
      ),
    /`params.router.weight`/,
  ],
  [
    "gru",
    () => gru({ embedDim: 2, hiddenDim: 2 }).apply({} as never, zeros([1, 1, 2])),
    /`params.input.weight`/,
  ],
  ["transformerLayer", () => transformerLayer({} as never), /`norm` is undefined, expected a layer/],
  [
    "transformerLayer.apply",
    () => layer.apply({} as never, randn([1, 2, 4], { seed: 1 })),
    /`params.attention` is undefined/,
  ],
  [
    "recurrentTranslator",
    () =>
      recurrentTranslator({
        vocabSize: 3,
        embedDim: 2,
        hiddenDim: 4,
        attention: additive({ queryDim: 4, keyDim: 4, hiddenDim: 4 }),
        queryStat: "previous",
      } as never),
    /write `queryState`/,
  ],
  ["quantize", () => quantize(model, { kind: "int3" as never }), /`kind` is "int3"/],
  [
    "pipeline",
    () => transformer.pipeline("depth-estimation" as never, "a"),
    /`task` is "depth-estimation".*served/,
  ],
  ["train", () => training.train({ params: {}, steps: 1, learningRate: 1 } as never), /`learningRate` is 1/],
  [
    "trainStep",
    () => training.trainStep({ loss: () => zeros([]), optimizer: sgd as never }),
    /`optimizer` is .*expected an optimizer/,
  ],
  [
    "nextTokenBatches",
    () => training.nextTokenBatches([1, 2, 3], { batchSize: 0, contextLength: 1, seed: 1 }),
    /`batchSize` is 0/,
  ],
  [
    "nextTokenBatches",
    () => training.nextTokenBatches([1, 2 ** 32 + 5, 3], { batchSize: 1, contextLength: 1, seed: 1 }),
    /`ids\[1\]` is 4294967301/,
  ],
])("%s: %o", async (name, call, message) => {
  const error = await refusal(call);
  expect(error.fn).toBe(name);
  expect(error.message).toMatch(message);
});

const layer = transformerLayer({
  attention: multiHead({ embedDim: 4, numHeads: 2 }),
  feedForward: feedForward({ embedDim: 4, hiddenDim: 4 }),
  norm: norm({ kind: "rms", embedDim: 4 }),
});

test("ids that are out of range or not integers are refused by all functions that take ids", async () => {
  const rows = bert.init(1);
  for (const wrong of [11, -1, 1.5, NaN, 2 ** 32 + 5, "3"] as number[]) {
    for (const call of [
      () => network.apply(params, [1, wrong]),
      () => bert.apply(rows, [1, wrong]),
      () => generate(model, [1, wrong]),
      () => generateBatch(model, [[1], [2, wrong]]),
      () => evaluate(model, [[1, wrong]]),
      () => inspection.logitLens(network, params, [1, wrong]),
    ]) {
      const { message } = await refusal(call);
      expect(message).toMatch(/\[1\]` is .*, expected an integer from 0 to 10, a token id of the model/);
    }
  }
  const float = await refusal(() => network.apply(params, tensor([[1.5, 2]])));
  expect(float.message).toMatch(/decoder.apply: `ids` is .*, expected token ids, as integers/);
  const beyond = await refusal(() => network.apply(params, tensor([[1, 11]], { dtype: "int32" })));
  expect(beyond.message).toMatch(/`ids\[1\]` is 11/);
});

test("ids on another device than the params are refused, and the fix names the option `device` of batches", async () => {
  const elsewhere: Device = { ...js(), name: "elsewhere" };
  const ids = tensor([[1, 2]], { dtype: "int32", device: elsewhere });
  for (const call of [() => network.apply(params, ids), () => bert.apply(bert.init(1), ids)]) {
    const { message } = await refusal(call);
    expect(message).toMatch(
      /`ids` is "?a tensor on elsewhere"?, expected a tensor on js, where the params are.\nFix: make batches with the option `device`/,
    );
  }
});

test("a batch of no sequences, sequences of no tokens and a flat tensor are refused", async () => {
  for (const shape of [[0, 3], [2, 0], [3], [1, 1, 1]]) {
    for (const call of [
      () => network.apply(params, zeros(shape, { dtype: "int32" })),
      () => bert.apply(bert.init(1), zeros(shape, { dtype: "int32" })),
    ]) {
      expect((await refusal(call)).message).toMatch(/`ids` has shape .*, expected \[B, T\]/);
    }
  }
  expect((await refusal(() => network.apply(params, []))).message).toMatch(
    /`ids` is \[\], expected token ids/,
  );
});

test("logits that contain NaN or Infinity are refused", async () => {
  for (const logits of [[NaN, 1], [1, NaN], [1, Infinity], [-Infinity, -Infinity], []]) {
    for (const temperature of [0, 1]) {
      const { message } = await refusal(() => candidates(logits, { temperature }));
      expect(message).toMatch(
        /candidates: `logits` is .*, expected numbers of which none is NaN or Infinity/,
      );
    }
  }
  const broken = { ...model, apply: () => tensor([[[NaN, ...new Array<number>(10).fill(0)]]]) };
  for (const temperature of [0, 1]) {
    const sampling = { temperature };
    const single = await refusal(() => generate(broken, [1], { sampling }));
    expect(single).toMatchObject({
      fn: "generate",
      message: expect.stringMatching(/`logits` is "NaN at token 0"/),
    });
    const batch = await refusal(() => generateBatch(broken, [[1]], { sampling }));
    expect(batch).toMatchObject({
      fn: "generateBatch",
      message: expect.stringMatching(/`logits` is "NaN at token 0"/),
    });
  }
});

test.each<[string, (signal: never) => unknown]>([
  ["generate", (signal) => generate(model, [1], { signal })],
  ["generateBatch", (signal) => generateBatch(model, [[1]], { signal })],
  ["beamSearch", (signal) => transformer.beamSearch(model, [[1]], { numBeams: 2, signal })],
  ["embed", (signal) => transformer.embed(encoderModel, ["a"], { signal })],
  ["evaluate", (signal) => evaluate(model, [[1, 2]], { signal })],
  ["load", (signal) => transformer.load(new Uint8Array(0), { signal })],
  ["loadEncoder", (signal) => transformer.loadEncoder(new Uint8Array(0), { signal })],
  ["exportModel", (signal) => exporting.exportModel(model, { to: "hf", out: "none", signal })],
])("%s refuses an AbortController in place of its signal", async (name, call) => {
  const { message, fn } = await refusal(() => call(new AbortController() as never));
  expect([fn, message]).toEqual([
    name,
    `${name}: \`signal\` is an AbortController, expected an AbortSignal.\nFix: write \`signal: controller.signal\`.`,
  ]);
  expect((await refusal(() => call(5 as never))).message).toMatch(
    /`signal` is 5.*\nFix: give `controller\.signal`/,
  );
});

test("a model in a worker is refused by functions for this thread, and the fix names the import", async () => {
  const workerModel = { kind: "decoder", [Symbol.for("@qkv/worker connection")]: {} } as never;
  for (const [fn, call] of Object.entries({
    generate: () => generate(workerModel, [1]),
    embed: () => transformer.embed(workerModel, ["a"]),
  })) {
    expect((await refusal(call)).message).toBe(
      `${fn}: \`model\` is "a model in a worker", expected a model in this thread.\nFix: import \`${fn}\` from where its \`load\` comes from: @qkv/worker, or qkv/worker.`,
    );
  }
  expect((await refusal(() => generateBatch(workerModel, [[1]]))).message).toMatch(
    /is "a model in a worker".*\nFix: load it with `load` of @qkv\/transformer or qkv/,
  );
});

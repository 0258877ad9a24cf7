/// <reference types="node" />
import { padding } from "@qkv/attention";
import { isQkvError } from "@qkv/core";
import { randn, tensor } from "@qkv/tensor";
import { bertTokenizer, type Tokenizer } from "@qkv/tokenizer";
import { writeSafetensors } from "@qkv/tensor/safetensors";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { beamSearch } from "../generation/beam-search.js";
import { generate } from "../generation/generate.js";
import { generateBatch } from "../generation/generate-batch.js";
import { noRepeatNgram } from "../generation/processors/no-repeat-ngram.js";
import { repetitionPenalty } from "../generation/processors/repetition-penalty.js";
import { ownData } from "../../../../conformance/reference-data.mjs";
import { load, loadEncoder } from "../load.js";
import { loadSpeech } from "../load-speech.js";
import { decoder } from "../models/decoder.js";
import { encoder } from "../models/encoder.js";
import { meanPooling, unitLength } from "../models/mean-pooling.js";
import type { EncoderModel, Model } from "../models/model.js";
import type { PipelineProgress } from "./load-options.js";
import { pipeline } from "./pipeline.js";
import { TextStreamer } from "./text-streamer.js";

const words = [
  "once",
  "upon",
  "a",
  "time",
  "the",
  "cat",
  "sat",
  "on",
  "mat",
  "dog",
  "ran",
  "user",
  "assistant",
];
const vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ...words];
const tokenizer: Tokenizer = bertTokenizer(vocabulary.join("\n"));

const functions = decoder({
  ...{ vocabSize: vocabulary.length, embedDim: 16, hiddenDim: 24, numLayers: 2, numHeads: 2, numKvHeads: 1 },
  ...{ contextLength: 48, normEps: 1e-5, stopIds: [] },
});
const model: Model = {
  config: functions.config,
  params: functions.init(3),
  tokenizer,
  apply: functions.apply,
};

const bert = encoder({
  ...{ vocabSize: vocabulary.length, embedDim: 16, hiddenDim: 24, numLayers: 2, numHeads: 2 },
  ...{ contextLength: 12, numTypes: 2, normEps: 1e-12 },
});
const { apply, maskedTokenLogits } = bert;
const reader: EncoderModel = {
  config: bert.config,
  params: bert.init(5),
  tokenizer,
  apply,
  maskedTokenLogits,
};

const story = "once upon a time";
/** Ids of `generate`. */
async function generatedIds(prompt: string, options: Parameters<typeof generate>[2]): Promise<number[]> {
  const ids: number[] = [];
  for await (const { id } of generate(model, prompt, options)) ids.push(id);
  return ids;
}
const completedText = (prompt: string, ids: readonly number[]) =>
  tokenizer.decode([...tokenizer.encode(prompt), ...ids]);

async function refusal(call: () => unknown): Promise<string> {
  try {
    await call();
  } catch (error) {
    if (isQkvError(error)) return error.message;
    throw error;
  }
  throw new Error("nothing was refused");
}

test("text-generation: a text gives one result, which begins with the prompt unless `return_full_text` is false", async () => {
  const generator = await pipeline("text-generation", model);
  const output = await generator(story, { max_new_tokens: 6 });
  expect(output).toEqual([
    { generated_text: completedText(story, await generatedIds(story, { maxTokens: 6 })) },
  ]);
  expect(output[0]!.generated_text.startsWith(story)).toBe(true);
  const [added] = await generator(story, { max_new_tokens: 6, return_full_text: false });
  expect(story + added!.generated_text).toBe(output[0]!.generated_text);
  expect([generator.task, generator.model, generator.tokenizer]).toEqual([
    "text-generation",
    model,
    tokenizer,
  ]);
});

test("text-generation: a list of texts gives the results of each text alone", async () => {
  const generator = await pipeline("text-generation", model);
  const texts = [story, "the cat sat"];
  const output = await generator(texts, { max_new_tokens: 5 });
  const alone = await Promise.all(texts.map((text) => generator(text, { max_new_tokens: 5 })));
  expect(output).toEqual(alone);
  expect(await generator(["the"], { max_new_tokens: 1 })).toEqual([[expect.anything()]]);
  expect(await generator([])).toEqual([]);
});

test("text-generation: by default 256 tokens or the rest of the context; max_length includes the prompt, max_new_tokens does not", async () => {
  const generator = await pipeline("text-generation", model);
  const count = async (options?: Parameters<typeof generator>[1]) => {
    const ids: bigint[] = [];
    const streamer = new TextStreamer(tokenizer, {
      ...{ skip_prompt: true, callback_function: () => undefined },
      token_callback_function: (some) => ids.push(...some),
    });
    await generator(story, { ...options, streamer });
    return ids.length;
  };
  const prompt = tokenizer.encode(story).length;
  expect(await count()).toBe(functions.config.contextLength - prompt + 1);
  expect(await count({ max_new_tokens: 7 })).toBe(7);
  expect(await count({ max_length: 10 })).toBe(10 - prompt);
  expect(await count({ max_length: 10, max_new_tokens: 2 })).toBe(2);
  const long = decoder({ ...functions.config, contextLength: 300 });
  const longer = await pipeline("text-generation", { ...model, config: long.config, apply: long.apply });
  let ids = 0;
  await longer("a", { streamer: { put: () => (ids += 1), end: () => (ids -= 1) } });
  expect(ids).toBe(256); // a call for the prompt, one for each token, less one for the end
});

test("text-generation: sampling options equal those of `generate`, with top_k 50 by default", async () => {
  const generator = await pipeline("text-generation", model);
  const sample = async (options: object) =>
    (await generator(story, { max_new_tokens: 8, do_sample: true, seed: 7, ...options }))[0]!.generated_text;
  const expected = async (sampling: object) =>
    completedText(
      story,
      await generatedIds(story, { maxTokens: 8, sampling: { seed: 7, temperature: 1, ...sampling } }),
    );
  expect(await sample({})).toBe(await expected({ topK: 50 }));
  expect(await sample({ temperature: 3, top_k: 0 })).toBe(await expected({ temperature: 3 }));
  expect(await sample({ top_k: 2, top_p: 0.9 })).toBe(await expected({ topK: 2, topP: 0.9 }));
  expect(await sample({ min_p: 0.2, repetition_penalty: 1.5 })).toBe(
    await expected({ topK: 50, minP: 0.2, repetitionPenalty: 1.5 }),
  );
  // Without `do_sample`, decoding is greedy at any temperature.
  const [greedy] = await generator(story, { max_new_tokens: 8, temperature: 3 });
  expect(greedy!.generated_text).toBe(completedText(story, await generatedIds(story, { maxTokens: 8 })));
  const texts = new Set<string>();
  for (let i = 0; i < 8; i++)
    texts.add(
      (await generator(story, { max_new_tokens: 16, do_sample: true, temperature: 3 }))[0]!.generated_text,
    );
  expect(texts.size).toBeGreaterThan(1);
});

test("text-generation: num_return_sequences gives samples of generateBatch, or the best beams", async () => {
  const generator = await pipeline("text-generation", model);
  const sampled = await generator([story, "the"], {
    ...{ do_sample: true, seed: 2, num_return_sequences: 2, max_new_tokens: 4, top_k: 0 },
  });
  const ids: number[][] = [[], [], [], []];
  const sampling = { temperature: 1, seed: 2 };
  const options = { samples: 2, maxTokens: 4, sampling };
  for await (const { id, prompt, sample } of generateBatch(model, [story, "the"], options))
    ids[2 * prompt + sample]!.push(id);
  expect(sampled).toEqual(
    [story, "the"].map((text, i) =>
      [0, 1].map((n) => ({ generated_text: completedText(text, ids[2 * i + n]!) })),
    ),
  );
  const beams = await generator(story, {
    ...{ num_beams: 3, num_return_sequences: 2, max_new_tokens: 5, length_penalty: 0.5 },
    ...{ no_repeat_ngram_size: 2, repetition_penalty: 1.3, early_stopping: true },
  });
  const { sequences } = await beamSearch(model, [story], {
    ...{ numBeams: 3, numReturnSequences: 2, maxTokens: 5, lengthPenalty: 0.5, earlyStopping: true },
    processors: [repetitionPenalty(1.3), noRepeatNgram(2)],
  });
  expect(beams).toEqual(sequences[0]!.map(({ ids }) => ({ generated_text: completedText(story, ids) })));
});

test("text-generation: options apply their logits processors", async () => {
  const generator = await pipeline("text-generation", model);
  const run = async (options: object) => {
    const ids: number[] = [];
    const streamer = {
      put: ([some]: bigint[][]) => void ids.push(...some!.map(Number)),
      end: () => undefined,
    };
    await generator(story, { max_new_tokens: 10, streamer, ...options });
    return ids.slice(tokenizer.encode(story).length);
  };
  const plain = await run({});
  const pairs = (ids: number[]) => ids.slice(1).map((id, i) => `${ids[i]} ${id}`);
  const ngrams = pairs(await run({ no_repeat_ngram_size: 2 }));
  expect(new Set(ngrams).size).toBe(ngrams.length);
  expect(await run({ suppress_tokens: [plain[0]!] })).not.toContain(plain[0]);
  expect(await run({ bad_words_ids: [[plain[0]!]] })).not.toContain(plain[0]);
  expect((await run({ begin_suppress_tokens: [plain[0]!] }))[0]).not.toBe(plain[0]);
  expect((await run({ forced_eos_token_id: 7 })).at(-1)).toBe(7);
  // A stop id ends the text; it is passed to the streamer and is not in the text.
  const ends = await run({ eos_token_id: plain[2]! });
  expect(ends).toEqual(plain.slice(0, plain.indexOf(plain[2]!) + 1));
  const withMinTokens = await run({ eos_token_id: [plain[0]!], min_new_tokens: 3 });
  expect(withMinTokens.length).toBeGreaterThanOrEqual(3);
  const length = tokenizer.encode(story).length;
  expect((await run({ eos_token_id: plain[0]!, min_length: length + 4 })).length).toBeGreaterThanOrEqual(4);
  expect(await run({ logits_processor: [noRepeatNgram(2)] })).toEqual(await run({ no_repeat_ngram_size: 2 }));
});

test("a streamer receives the prompt and each token; its texts concatenate to the result", async () => {
  const generator = await pipeline("text-generation", model);
  const [{ generated_text }] = (await generator(story, { max_new_tokens: 9 })) as [
    { generated_text: string },
  ];
  let text = "";
  const callback_function = (piece: string) => (text += piece);
  await generator(story, { max_new_tokens: 9, streamer: new TextStreamer(tokenizer, { callback_function }) });
  expect(text).toBe(generated_text);
  text = "";
  const streamer = new TextStreamer(tokenizer, { skip_prompt: true, callback_function });
  for (let again = 0; again < 2; again++) await generator(story, { max_new_tokens: 9, streamer });
  expect(text).toBe(generated_text.slice(story.length).repeat(2));
  const calls: unknown[] = [];
  const record = { put: (ids: bigint[][]) => calls.push(ids), end: () => calls.push("end") };
  await generator("the", { max_new_tokens: 2, streamer: record });
  const ids = await generatedIds("the", { maxTokens: 2 });
  expect(calls).toEqual([[tokenizer.encode("the").map(BigInt)], ...ids.map((id) => [[BigInt(id)]]), "end"]);
  expect(() => streamer.put([[1n], [2n]])).toThrow(/^TextStreamer: `ids` is "2 sequences"/);
  expect(await refusal(() => generator([story, "a"], { streamer }))).toMatch(/a streamer of 2 texts/);
  expect(await refusal(() => generator("a", { streamer, num_beams: 2 }))).toMatch(
    /a streamer of several sequences/,
  );
  expect(await refusal(() => generator("a", { streamer: (() => 1) as never }))).toMatch(/new TextStreamer\(/);
});

test("an aborted signal rejects with its reason", async () => {
  const generator = await pipeline("text-generation", model);
  const controller = new AbortController();
  const streamer = { put: () => controller.abort(new Error("enough")), end: () => undefined };
  await expect(generator(story, { streamer, signal: controller.signal })).rejects.toThrow("enough");
});

const template =
  "{% for m in messages %}{{ m.role }} {{ m.content }} {% endfor %}assistant{% if loud %} ran{% endif %}";
const chat = [
  { role: "user", content: "the cat" },
  { role: "assistant", content: "sat" },
  { role: "user", content: "the dog" },
];

test("text-generation: a chat gives its messages and the answer, a list of chats one result each", async () => {
  const generator = await pipeline("text-generation", model);
  const options = { max_new_tokens: 3, chat_template: template };
  const output = await generator(chat, options);
  const text = "user the cat assistant sat user the dog assistant";
  const ids: number[] = [];
  const prompt = tokenizer.encode(text, { addSpecialTokens: false });
  for await (const { id } of generate(model, prompt, { maxTokens: 3 })) ids.push(id);
  const content = tokenizer.decode([...prompt, ...ids]).slice(text.length);
  expect(output).toEqual([{ generated_text: [...chat, { role: "assistant", content }] }]);
  // `return_full_text` has no effect on chats.
  expect(await generator(chat, { ...options, return_full_text: false })).toEqual(output);
  expect(await generator([chat, chat.slice(0, 1)], options)).toEqual([
    output,
    await generator(chat.slice(0, 1), options),
  ]);
  const streamed: bigint[] = [];
  const streamer = { put: ([some]: bigint[][]) => void streamed.push(...some!), end: () => undefined };
  await generator(chat, { ...options, tokenizer_encode_kwargs: { loud: true }, streamer });
  expect(tokenizer.decode(streamed.map(Number))).toContain(`${text} ran`);
  expect(await refusal(() => generator(chat))).toMatch(/the model came without a chat template/);
});

test("feature-extraction: hidden states and poolings of a text equal those of the encoder", async () => {
  const extractor = await pipeline("feature-extraction", reader);
  const text = "the cat sat";
  const rows = reader.apply(reader.params, tokenizer.encode(text));
  const output = await extractor(text);
  expect([output.type, output.dims, output.size]).toEqual(["float32", [1, 5, 16], 80]);
  expect(output.data).toEqual(rows.data);
  expect(output.tolist()).toEqual(rows.toNested());
  const mean = await extractor(text, { pooling: "mean", normalize: true });
  expect(mean.dims).toEqual([1, 16]);
  expect(mean.data).toEqual(unitLength(meanPooling(rows)).data);
  const rowAt = (t: number) => rows.data.slice(t * 16, (t + 1) * 16);
  for (const pooling of ["cls", "first_token"] as const)
    expect((await extractor(text, { pooling })).data).toEqual(rowAt(0));
  for (const pooling of ["eos", "last_token"] as const)
    expect((await extractor(text, { pooling })).data).toEqual(rowAt(4));
});

test("feature-extraction: a padded batch gives the vectors of each text alone", async () => {
  const extractor = await pipeline("embeddings", reader);
  const texts = ["the cat sat on the mat", "a dog", "time"];
  for (const pooling of ["mean", "cls", "last_token"] as const) {
    const output = await extractor(texts, { pooling });
    expect(output.dims).toEqual([3, 16]);
    const alone = await Promise.all(texts.map((text) => extractor(text, { pooling })));
    [...output].forEach((row, i) => {
      expect(row.dims).toEqual([16]);
      expect(row.data).toEqual(output[i]!.data);
      row.data.forEach((value, c) => expect(value).toBeCloseTo(alone[i]!.data[c]!, 5));
    });
  }
  const ids = texts.map((text) => tokenizer.encode(text));
  const longest = Math.max(...ids.map(({ length }) => length));
  const padded = ids.map((list) => [...list, ...new Array<number>(longest - list.length).fill(0)]);
  const mask = padding(ids.map(({ length }) => length));
  const rows = reader.apply(reader.params, tensor(padded, { dtype: "int32" }), { mask });
  const output = await extractor(texts);
  expect([output.dims, output.data]).toEqual([[3, longest, 16], rows.data]);
  expect(extractor.task).toBe("feature-extraction");
});

test("feature-extraction: quantize packs signs into bits, most significant bit first", async () => {
  const extractor = await pipeline("feature-extraction", reader);
  const { data } = await extractor("the cat", { pooling: "mean" });
  const bits = Array.from(data, (value) => (value > 0 ? "1" : "0")).join("");
  const bytes = [bits.slice(0, 8), bits.slice(8)].map((byte) => parseInt(byte, 2));
  const options = { pooling: "mean", quantize: true } as const;
  const unsigned = await extractor("the cat", { ...options, precision: "ubinary" });
  expect([unsigned.type, unsigned.dims, unsigned.tolist()]).toEqual(["uint8", [1, 2], [bytes]]);
  const signed = await extractor("the cat", options);
  expect([signed.type, signed.tolist()]).toEqual(["int8", [bytes.map((byte) => byte - 128)]]);
  expect(await refusal(() => extractor("the cat", { quantize: true }))).toMatch(
    /these are \[1, 4, 16\].*\nFix: write `pooling: "mean"`/,
  );
});

test("feature-extraction: a text longer than the context is truncated, and keeps its end token", async () => {
  const extractor = await pipeline("feature-extraction", reader);
  const output = await extractor(new Array(40).fill("cat").join(" "));
  expect(output.dims).toEqual([1, 12, 16]);
  const ids = tokenizer.encode(new Array(10).fill("cat").join(" "));
  expect(output.data).toEqual(reader.apply(reader.params, ids).data);
});

test("fill-mask: the most likely tokens of the masked-token head, with their texts", async () => {
  const unmasker = await pipeline("fill-mask", reader);
  const text = "the [MASK] sat";
  const output = await unmasker(text);
  const ids = tokenizer.encode(text);
  const logits = reader.maskedTokenLogits(reader.params, reader.apply(reader.params, ids));
  const V = vocabulary.length;
  const row = Array.from(logits.data.slice(2 * V, 3 * V), Number);
  const total = row.reduce((sum, logit) => sum + Math.exp(logit), 0);
  const order = row.map((_, id) => id).sort((a, b) => row[b]! - row[a]!);
  expect(output.map(({ token }) => token)).toEqual(order.slice(0, 5));
  for (const { token, score, token_str, sequence } of output) {
    expect(score).toBeCloseTo(Math.exp(row[token]!) / total, 6);
    expect(token_str).toBe(tokenizer.decode([token]));
    expect(sequence).toBe(tokenizer.decode(ids.map((id) => (id === 4 ? token : id))));
  }
  const all = await unmasker(text, { top_k: 100 });
  expect(all.reduce((sum, { score }) => sum + score, 0)).toBeCloseTo(1, 6);
  const batch = await unmasker([text, "[MASK] the cat sat on the mat"], { top_k: 1 });
  expect(batch).toEqual([[expect.objectContaining({ token: order[0] })], [expect.anything()]]);
  expect(batch[0]![0]!.score).toBeCloseTo(output[0]!.score, 5);
  expect(await refusal(() => unmasker("the cat sat"))).toMatch(
    /`texts` is "the cat sat", expected a text with the mask token \[MASK\]/,
  );
});

let root: string;
beforeAll(() => (root = mkdtempSync(join(tmpdir(), "qkv-pipeline-"))));
afterAll(() => rmSync(root, { recursive: true }));

const llama = {
  ...{ model_type: "llama", vocab_size: vocabulary.length, hidden_size: 8, intermediate_size: 12 },
  ...{ num_hidden_layers: 1, num_attention_heads: 2, num_key_value_heads: 1, max_position_embeddings: 32 },
  ...{ rms_norm_eps: 1e-5, tie_word_embeddings: true, eos_token_id: 3 },
};
const folderConfig = { chat_template: "{{ bos_token }} {{ messages[0].content }}", bos_token: "[CLS]" };

async function folder(name: string, more: Record<string, unknown> = {}): Promise<string> {
  const path = join(root, name);
  mkdirSync(path);
  const layer = "model.layers.0.";
  const shapes: Record<string, number[]> = {
    ...{ "model.embed_tokens.weight": [vocabulary.length, 8], "model.norm.weight": [8] },
    ...{ [`${layer}input_layernorm.weight`]: [8], [`${layer}post_attention_layernorm.weight`]: [8] },
    ...{ [`${layer}self_attn.q_proj.weight`]: [8, 8], [`${layer}self_attn.k_proj.weight`]: [4, 8] },
    ...{ [`${layer}self_attn.v_proj.weight`]: [4, 8], [`${layer}self_attn.o_proj.weight`]: [8, 8] },
    ...{ [`${layer}mlp.gate_proj.weight`]: [12, 8], [`${layer}mlp.up_proj.weight`]: [12, 8] },
    [`${layer}mlp.down_proj.weight`]: [8, 12],
  };
  const weights = Object.fromEntries(
    Object.entries(shapes).map(([name, shape], seed) => [name, randn(shape, { seed })]),
  );
  writeFileSync(join(path, "config.json"), JSON.stringify(llama));
  writeFileSync(join(path, "vocab.txt"), vocabulary.join("\n"));
  writeFileSync(join(path, "model.safetensors"), await writeSafetensors(weights));
  for (const [name, value] of Object.entries({ "tokenizer_config.json": folderConfig, ...more }))
    writeFileSync(join(path, name), typeof value === "string" ? value : JSON.stringify(value));
  return path;
}

test("a folder loads with its chat template and generation_config.json, and reports progress events", async () => {
  const path = await folder("whole", {
    "generation_config.json": { do_sample: true, top_k: 1, temperature: null, no_repeat_ngram_size: 2 },
  });
  const events: PipelineProgress[] = [];
  const generator = await pipeline("text-generation", path, {
    progress_callback: (event) => events.push(event),
  });
  const plain = await load(path);
  const ids: number[] = [];
  const prompt = tokenizer.encode("[CLS] the cat", { addSpecialTokens: false });
  const options = { maxTokens: 12, processors: [noRepeatNgram(2)] };
  for await (const { id } of generate(plain, prompt, options)) ids.push(id);
  const [message] = chat;
  const [answer] = await generator([message!], { max_new_tokens: 12 });
  expect(answer!.generated_text).toEqual([
    message,
    { role: "assistant", content: tokenizer.decode([...prompt, ...ids]).slice("the cat".length) },
  ]);
  const weightEvents = events.filter((event) => "file" in event && event.file === "model.safetensors");
  expect(weightEvents.map(({ status }) => status).filter((status) => status !== "progress")).toEqual([
    ...["initiate", "download", "done"],
  ]);
  expect(weightEvents.at(-1)).toEqual({
    status: "done",
    name: expect.stringContaining(path),
    file: "model.safetensors",
  });
  const progress = weightEvents.filter(({ status }) => status === "progress");
  expect(progress.at(-1)).toMatchObject({
    progress: 100,
    total: readFileSync(join(path, "model.safetensors")).length,
  });
  expect(events.at(-1)).toEqual({ status: "ready", task: "text-generation", model: path });
  // chat_template.jinja has precedence over tokenizer_config.json.
  const folderWithJinja = await folder("own", { "chat_template.jinja": "{{ messages[0].content }} ran" });
  const other = await pipeline("text-generation", folderWithJinja);
  const streamed: bigint[] = [];
  const streamer = { put: ([some]: bigint[][]) => void streamed.push(...some!), end: () => undefined };
  await other([message!], { max_new_tokens: 1, streamer });
  expect(tokenizer.decode(streamed.map(Number))).toMatch(/^the cat ran/);
});

test("`dtype` quantizes the matrices, or leaves them in float32", async () => {
  const path = await folder("rounded");
  for (const [dtype, quantize] of [
    ["q8", "int8"],
    ["int8", "int8"],
  ] as const) {
    const { model: rounded } = await pipeline("text-generation", path, { dtype });
    expect(rounded.quantization).toEqual((await load(path, { quantize })).quantization);
  }
  expect((await pipeline("text-generation", path, { dtype: "fp32" })).model.quantization).toBeUndefined();
  const bert = fileURLToPath(
    new URL("../../../../conformance/data/models/tiny-bert-random", import.meta.url),
  );
  const { model: rounded } = await pipeline("feature-extraction", bert, { dtype: "q4" });
  expect(rounded.quantization).toEqual((await loadEncoder(bert, { quantize: "int4" })).quantization);
  const whisper = ownData.path("hf/whisper");
  const heard = await pipeline("automatic-speech-recognition", whisper, { dtype: "q8", tokenizer });
  expect(heard.model.quantization).toEqual((await loadSpeech(whisper, { quantize: "int8" })).quantization);
});

test("an encoder folder loads for feature-extraction, and fill-mask is refused without a head", async () => {
  const path = fileURLToPath(
    new URL("../../../../conformance/data/models/tiny-bert-random", import.meta.url),
  );
  const extractor = await pipeline("feature-extraction", path);
  const { params, apply, tokenizer } = await loadEncoder(path);
  const rows = apply(params, tokenizer!.encode("t7 t9"));
  const output = await extractor("t7 t9");
  expect([output.dims, output.data]).toEqual([rows.shape, rows.data]);
  expect(await refusal(() => pipeline("fill-mask", path))).toMatch(
    /an encoder without a head for masked tokens/,
  );
});

test.each<[string, () => unknown, RegExp]>([
  [
    "an unsupported task",
    () => pipeline("depth-estimation" as never, model),
    /served: text-generation, feature-extraction, … \(the reference of `pipeline` lists all 17\)/,
  ],
  ["a misspelled task", () => pipeline("text_generaton" as never, model), /\nFix: write "text-generation"/],
  ["no model", () => pipeline("fill-mask", undefined as never), /no task has a default one/],
  ["an encoder for text-generation", () => pipeline("text-generation", reader), /`model` is "an encoder"/],
  [
    "a decoder for translation",
    () => pipeline("translation", model),
    /expected an encoder–decoder.*\nFix: write "text-generation"/s,
  ],
  ["a decoder for embeddings", () => pipeline("embeddings", model), /\nFix: write "text-generation"/],
  [
    "a model without a tokenizer",
    () => pipeline("text-generation", { ...model, tokenizer: undefined }),
    /a model without a tokenizer/,
  ],
  [
    "a device name",
    () => pipeline("text-generation", model, { device: "webgpu" as never }),
    /\nFix: write `device: await webgpu\(\)` of @qkv\/webgpu/,
  ],
  [
    "an unsupported dtype",
    () => pipeline("text-generation", model, { dtype: "q4f16" as never }),
    /\nFix: write `dtype: "q4"`/,
  ],
  [
    "an option of Transformers.js with another name here",
    () => pipeline("text-generation", model, { quantized: true } as never),
    /\nFix: write `dtype: "q8"`\./,
  ],
  [
    "a misspelled option",
    () => pipeline("text-generation", model, { progress_calback: 1 } as never),
    /\nFix: write `progress_callback`/,
  ],
  [
    "a repository with ONNX files",
    () => pipeline("feature-extraction", "Xenova/all-MiniLM-L6-v2", { local_files_only: true }),
    /that of a conversion to ONNX.*\nFix: give the repository that it was converted from/,
  ],
])("%s is refused with the fix", async (_, call, message) => {
  const text = await refusal(call);
  expect(text).toMatch(/^pipeline: /);
  expect(text).toMatch(message);
});

test.each<[string, object, RegExp]>([
  ["a misspelled option", { max_new_token: 3 }, /\nFix: write `max_new_tokens`/],
  ["an option of `generate`", { maxTokens: 3 }, /`maxTokens` is 3, expected one of the options/],
  [
    "an option of Transformers.js with another name here",
    { stopping_criteria: [] },
    /\nFix: write `signal: controller.signal`/,
  ],
  ["sampling with beams", { do_sample: true, num_beams: 2 }, /beams are searched, not drawn/],
  [
    "several results without sampling or beams",
    { num_return_sequences: 2 },
    /\nFix: write `do_sample: true`/,
  ],
  ["template variables for a text", { tokenizer_encode_kwargs: {} }, /the variables of a chat template/],
  ["a limit that is not a number", { max_new_tokens: "8" }, /`max_new_tokens` is "8"/],
])("%s is refused in a call", async (_, options, message) => {
  const generator = await pipeline("text-generation", model);
  const text = await refusal(() => generator("the cat", options));
  expect(text).toMatch(/^pipeline\("text-generation"\): /);
  expect(text).toMatch(message);
});

test("inputs that are neither texts nor chats are refused", async () => {
  const generator = await pipeline("text-generation", model);
  for (const input of [5, null, ["the", 5], [{ content: "no role" }], [chat, "the"]])
    expect(await refusal(() => generator(input as never))).toMatch(
      /expected a text, a list of texts, a chat/,
    );
  const extractor = await pipeline("feature-extraction", reader);
  for (const input of [5, [], ["the", 5]])
    expect(await refusal(() => extractor(input as never))).toMatch(/give a text, or a list of texts/);
});

test("a disposed pipeline refuses calls and access to its model", async () => {
  const generator = await pipeline("text-generation", model);
  await generator.dispose();
  expect(await refusal(() => generator("the"))).toMatch(/\nFix: make another pipeline/);
  expect(() => generator.model).toThrow(/disposed of/);
  expect(generator[Symbol.asyncDispose]).toBe(generator.dispose);
});

// Models exported as GGUF generate in llama.cpp what they generate here, for each architecture that llama.cpp has. Features
// that it lacks are refused at export, and listed.
import * as core from "@qkv/core";
import * as tensors from "@qkv/tensor";
import { normalQuantile } from "@qkv/tensor/random";
import { bertTokenizer, byteLevelBpe } from "@qkv/tokenizer";
import { decoder, encoder, load } from "@qkv/transformer";
import { exportModel } from "@qkv/transformer/export";
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getLlama, LlamaLogLevel } from "node-llama-cpp";
import { decoderConfigs, encoderConfig, scaledParams, prompt } from "../../scripts/random-models.mjs";
import { withGgufMetadata } from "../../scripts/gguf-metadata.mjs";
import { count, decoders, greedy, stateDecoders, tableDecoders } from "../handed-over.mjs";

/**
 * Allowed difference from our numbers, as a part of the largest. llama.cpp computes in float32, but reads GELU from a table of
 * float16, whose numbers have 11 bits (ggml's `ggml_vec_gelu_f32`), for BERT too, which has the exact GELU here.
 * Weights of 16 and 8 bits it multiplies with activations of as many.
 */
const allowed = { plain: 1e-4, gelu: 4e-3, bert: 4e-3, float16: 5e-3, q8_0: 5e-2 };

/**
 * Models that llama.cpp computes otherwise than their makers. `apart`: twice the difference that was measured from our
 * numbers, which are those of the makers' code. `as`: the model as llama.cpp computes it, from which it is at most `limit`.
 */
const otherwise = {
  // The deviation of gates is that of a sample there, over F − 1 numbers in place of F: 9.6e-4 of the largest logit apart.
  gemma3n_text: { apart: 2e-3, as: withSampleDeviation, limit: 3e-4 },
};

/** Refusals at export, of features that llama.cpp lacks. */
const refused = {
  mistral: /`config.layerTypes` .*expected no `window` below `contextLength`/,
  qwen3_moe: /`config.experts` .*whose shares sum to 1/,
  "exaone4, layers that slide": /expected .*, as \S+ has it, which this model is nearest to/,
  phi3: /`config.ropeDim` is 16, expected nothing, as llama has it/,
};
/** The same as llama.cpp has them. */
const within = {
  "mistral, a window as long as the context": { ...decoderConfigs.mistral, window: 256 },
  "qwen3_moe, shares that sum to 1": {
    ...decoderConfigs.qwen3_moe,
    experts: { numExperts: 4, expertsPerToken: 2 },
  },
  "phi3, heads that divide the width": { ...decoderConfigs.phi3, headDim: 16, ropeDim: 8 },
  "gemma2, two layers that slide and one that does not": {
    ...decoderConfigs.gemma2,
    layerTypes: ["sliding", "sliding", "full"],
  },
};

/** A vocabulary for random models: llama.cpp begins with the ids of a line break. */
const letters = [..."ĊĠabcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ01234567"];
const tokenizer = byteLevelBpe(
  { vocab: [...letters, "ab"], merges: ["a b"] },
  { specialTokens: { "<|endoftext|>": 63 } },
);

const bertLetters = [..."abcdefghijklmnopqrstuvwxyz"];
const bertWords = bertTokenizer(
  [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    ...bertLetters,
    ...bertLetters.map((letter) => `##${letter}`),
    "!",
  ].join("\n"),
);

export async function run() {
  const folder = mkdtempSync(join(tmpdir(), "qkv-interop-"));
  const llama = await getLlama({
    gpu: false,
    build: "never",
    skipDownload: true,
    progressLogs: false,
    maxThreads: 1,
    logLevel: LlamaLogLevel.error,
  });
  try {
    console.log(`  llama.cpp ${llama.llamaCppRelease.release}`);
    const models = await decoders();
    for (const [name, config] of Object.entries(within)) {
      const { init, apply } = decoder(config);
      const params = scaledParams(tensors, init(1), config.embeddingScale);
      models.push({ name, model: { config, params, apply }, prompts: [prompt, prompt.slice(3, 10)] });
    }
    models.push(...tableDecoders(), ...(await stateDecoders()));
    for (const each of models) await runDecoder(llama, longer(each), folder);
    await runErnie(
      llama,
      models.find(({ name }) => name === "ernie4_5"),
      folder,
    );
    for (const each of models.filter(({ model }) => model.tokenizer)) await runWords(llama, each, folder);
    await runEncoder(llama, folder);
  } finally {
    await llama.dispose();
    rmSync(folder, { recursive: true });
  }
}

/**
 * Long prompts for a model that has factors for long texts: llama.cpp takes those whenever its context is longer than
 * the trained length, as this one is, whatever the length of the text.
 */
function longer(each) {
  if (each.model.config.ropeScaling?.type !== "longrope") return each;
  return { ...each, prompts: each.prompts.map((ids) => [...ids, ...prompt, ...prompt, ...prompt]) };
}

async function runDecoder(llama, { name, model, prompts }, folder) {
  const out = join(folder, `${name.replaceAll(/\W+/g, "-")}.gguf`);
  const exported = exportModel({ tokenizer, ...model }, { to: "gguf", out });
  if (refused[name]) {
    const { message } = await exported.catch((error) => error);
    assert.match(message, refused[name]);
    console.log(`  ${name}: refused, ${message.split("\n")[0]}`);
    return;
  }
  await exported;
  const usual = /gelu/.test(model.config.activation) ? allowed.gelu : allowed.plain;
  const { as = (same) => same, limit = usual, apart } = otherwise[name] ?? {};
  const worst = await compare(llama, out, as(model), prompts, { name, limit, equal: true });
  console.log(`  ${name}: ${count} tokens equal, logits within ${worst.toExponential(1)} of the largest`);
  if (apart === undefined) return;
  const own = await compare(llama, out, model, prompts, { name, limit: apart, equal: false });
  console.log(`  ${name}, as its makers compute it: logits within ${own.toExponential(1)} of the largest`);
}

/** A model whose gates are as sparse as with the deviation of a sample: √(F / (F − 1)) times as many deviations. */
function withSampleDeviation({ config, params }) {
  const F = config.hiddenDim;
  const wanted = (share) => normalQuantile(share) * Math.sqrt(F / (F - 1));
  const layerOverrides = config.layerOverrides.map(
    (own) => own && { ...own, activationSparsity: shareOf(wanted(own.activationSparsity)) },
  );
  const other = { ...config, layerOverrides };
  return { config: other, params, apply: decoder(other).apply };
}

/** The share of normally distributed numbers below so many deviations. */
function shareOf(deviations) {
  let [low, high] = [0, 1];
  for (let n = 0; n < 60; n++) {
    const middle = (low + high) / 2;
    if (normalQuantile(middle) < deviations) low = middle;
    else high = middle;
  }
  return low;
}

/** ERNIE 4.5 computes as a llama does, which it is written as: the same file under its own name is read alike. */
async function runErnie(llama, { model, prompts }, folder) {
  const out = join(folder, "ernie.gguf");
  await exportModel({ tokenizer, ...model }, { to: "gguf", out });
  const renamed = withGgufMetadata(core, new Uint8Array(readFileSync(out)), (fields) => {
    for (const [key, field] of Object.entries(fields)) {
      if (!key.startsWith("llama.")) continue;
      Reflect.deleteProperty(fields, key);
      fields[key.replace("llama.", "ernie4_5.")] = field;
    }
    fields["general.architecture"].value = "ernie4_5";
  });
  writeFileSync(out, renamed);
  const again = await load(out);
  const name = "ernie4_5, under its own name";
  const worst = await compare(llama, out, again, prompts, { name, limit: allowed.plain, equal: true });
  console.log(`  ${name}: ${count} tokens equal, logits within ${worst.toExponential(1)} of the largest`);
}

/** Models with words of their own: text becomes the same ids; 16 and 8 bits generate what ours generates with the same bits. */
async function runWords(llama, { name, model, prompts }, folder) {
  const texts = [
    "Once upon a time, there was a little girl named Lily.",
    " two  spaces\n\nand 1234 lines",
    "日本 é 😀",
  ];
  for (const dtype of ["float16", "q8_0"]) {
    const out = join(folder, `${name.replaceAll(/\W+/g, "-")}-${dtype}.gguf`);
    await exportModel(model, { to: "gguf", out, dtype });
    const theirs = await llama.loadModel({ modelPath: out, gpuLayers: 0, useMmap: false });
    for (const text of texts) {
      const ids = model.tokenizer.encode(text, { addSpecialTokens: false });
      assert.deepEqual(Array.from(theirs.tokenize(text)), ids, `${name}: ${text}`);
    }
    await theirs.dispose();
    const worst = await compare(llama, out, await load(out), prompts, {
      name: `${name}, ${dtype}`,
      limit: allowed[dtype],
      equal: false,
    });
    console.log(`  ${name}, ${dtype}: texts have the same ids, logits within ${worst.toExponential(1)}`);
  }
}

/**
 * Compares llama.cpp with what ours generates after each prompt.
 *
 * @param equal - True: tokens are equal. False: only where our two best logits differ by more than the allowed difference.
 * @returns {Promise<number>} The worst distance of a logit, as a part of the largest.
 */
async function compare(llama, path, model, prompts, { name, limit, equal }) {
  const theirs = await llama.loadModel({ modelPath: path, gpuLayers: 0, useMmap: false });
  let worst = 0;
  for (const ids of prompts) {
    const ours = greedy(model, ids);
    // The cache in float32, as here.
    const context = await theirs.createContext({
      contextSize: 256,
      batchSize: 64,
      threads: 1,
      flashAttention: false,
      experimentalKvCacheKeyType: "F32",
      experimentalKvCacheValueType: "F32",
    });
    const sequence = context.getSequence();
    let next = ids;
    for (let n = 0; n < count; n++) {
      const generateNext = { logits: true, token: true, options: { temperature: 0 } };
      const answers = await sequence.controlledEvaluate([
        ...next.slice(0, -1),
        [next.at(-1), { generateNext }],
      ]);
      const { token, logits } = answers.at(-1).next;
      const row = ours.logits[n];
      const largest = row.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
      row.forEach((x, id) => (worst = Math.max(worst, Math.abs(x - logits.get(id)) / largest)));
      const [first, second] = row.toSorted((a, b) => b - a);
      if (equal || first - second > 2 * limit * largest)
        assert.equal(token, ours.ids[n], `${name}, token ${n}`);
      next = [ours.ids[n]];
    }
    await context.dispose();
  }
  await theirs.dispose();
  assert.ok(worst <= limit, `${name}: ${worst} away, with ${limit} allowed`);
  return worst;
}

/** BERT: rows of tokens, between the two that begin and end texts. The engine gives the last row. */
async function runEncoder(llama, folder) {
  const bert = encoder(encoderConfig);
  const params = scaledParams(tensors, bert.init(1));
  const out = join(folder, "bert.gguf");
  await exportModel({ config: encoderConfig, params, tokenizer: bertWords }, { to: "gguf", out });
  const theirs = await llama.loadModel({ modelPath: out, gpuLayers: 0, useMmap: false });
  assert.deepEqual(
    Array.from(theirs.tokenize("Abc ac!")),
    bertWords.encode("Abc ac!", { addSpecialTokens: false }),
  );
  const context = await theirs.createEmbeddingContext({ contextSize: 64, batchSize: 64, threads: 1 });
  let worst = 0;
  for (const ids of [prompt, prompt.slice(3, 10)]) {
    const whole = [bertWords.bosId, ...ids, bertWords.eosId];
    const ours = bert.apply(params, whole).data.slice(-encoderConfig.embedDim);
    const { vector } = await context.getEmbeddingFor(whole);
    const largest = ours.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    ours.forEach((x, i) => (worst = Math.max(worst, Math.abs(x - vector[i]) / largest)));
  }
  await context.dispose();
  await theirs.dispose();
  assert.ok(worst <= allowed.bert, `bert: ${worst} away, with ${allowed.bert} allowed`);
  console.log(`  bert: rows within ${worst.toExponential(1)} of the largest`);
}

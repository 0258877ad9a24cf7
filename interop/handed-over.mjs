// The models that are exported: our own, one of somebody else's, and a random one of each architecture; and what each
// generates.
import * as attention from "@qkv/attention";
import { modelTiny } from "@qkv/model-tiny";
import * as tensors from "@qkv/tensor";
import { writeSafetensors } from "@qkv/tensor/safetensors";
import { cacheFor, decoder, load } from "@qkv/transformer";
import assert from "node:assert/strict";
import { ownData } from "../conformance/reference-data.mjs";
import { decoderConfigs, scaledParams, prompt } from "../scripts/random-models.mjs";
import { onnxConfigs } from "../scripts/random-onnx-models.mjs";
import { rwkv7Files, stateConfigs } from "../scripts/random-state-models.mjs";
import { refusedInOnnx, tableConfigs, tableParams } from "../scripts/random-table-models.mjs";

/** Tokens that are compared. */
export const count = 64;

const stories = `${ownData.path("models/stories260K")}/`;

/**
 * Decoders by name. `source` is what `qkv export` is given, where there is one; `prompts` are two, of different lengths.
 *
 * @returns {Promise<{ name: string, model: any, prompts: number[][], source?: string[] }[]>}
 */
export async function decoders() {
  const texts = ["Once upon a time there was a boat", "One day"];
  const [tiny, others] = await Promise.all([
    modelTiny().then((files) => load(files)),
    load(`${stories}stories260K.bin`, { tokenizer: `${stories}tok512.bin` }),
  ]);
  const told = (name, model, source) => ({
    name,
    model,
    source,
    prompts: texts.map((text) => model.tokenizer.encode(text)),
  });
  return [
    told("@qkv/model-tiny", tiny, ["@qkv/model-tiny"]),
    told("stories260K", others, [`${stories}stories260K.bin`, "--tokenizer", `${stories}tok512.bin`]),
    ...Object.entries(decoderConfigs).map(([name, config]) => {
      const { init, apply } = decoder(config);
      const params = scaledParams(tensors, init(1), config.embeddingScale);
      return { name, model: { config, params, apply }, prompts: [prompt, prompt.slice(3, 10)] };
    }),
  ];
}

/** A random model of each architecture that tables say, as above; of several seeds the first whose text is not one word. */
export const tableDecoders = () => randomDecoders(tableConfigs);

/** The same of those whose layers hold states. */
export async function stateDecoders() {
  const loaded = {
    rwkv7: await load(await rwkv7Files(tensors, writeSafetensors)),
    minimax: await load(ownData.path("hf/minimax")),
  };
  return [
    ...randomDecoders(stateConfigs({ attention, tensor: tensors })),
    ...Object.entries(loaded).map(([name, { config, params, apply }]) => {
      return { name, model: { config, params, apply }, prompts: [prompt, prompt.slice(3, 10)] };
    }),
  ];
}

function randomDecoders(configs) {
  return Object.entries(configs).map(([name, config]) => {
    const { init, apply } = decoder(config);
    const prompts = [prompt, prompt.slice(3, 10)];
    for (let seed = 1; ; seed++) {
      const params = tableParams(name, tensors, scaledParams(tensors, init(seed), config.embeddingScale));
      const model = { config, params, apply };
      if (seed === 20 || prompts.every((ids) => isVaried(generated(model, ids))))
        return { name, model, prompts };
    }
  });
}

/** Those that ONNX graphs hold. */
export const tableDecodersInOnnx = () =>
  randomDecoders({ ...tableConfigs, ...onnxConfigs }).filter(({ name }) => !(name in refusedInOnnx));

/** The likeliest tokens after a prompt, and the logits that each was chosen from. */
export function greedy(model, ids) {
  const own = generated(model, ids);
  assert.ok(isVaried(own), "the continuation says something");
  return own;
}

const isVaried = ({ ids }) => new Set(ids).size > 5;

function generated({ config, params, apply }, ids) {
  const cache = cacheFor(config);
  const own = { ids: [], logits: [] };
  for (let next = ids; own.ids.length < count; next = own.ids.slice(-1)) {
    const row = apply(params, next, { cache, last: 1 }).data;
    own.ids.push(row.indexOf(Math.max(...row)));
    own.logits.push(row);
  }
  return own;
}

/**
 * Holds numbers to what ONNX Runtime's own tests hold float32 to (onnxruntime/test/unittest_util/checkers.cc): 1e-5, and
 * 1e-4 of what is expected; of a row of numbers, of the largest.
 *
 * @returns {number} The worst difference, as a part of what is allowed.
 */
export function agree(got, expected, what) {
  assert.equal(got.length, expected.length, what);
  const largest = expected.reduce((most, y) => Math.max(most, Math.abs(y)), 0);
  const allowed = 1e-5 + 1e-4 * largest;
  const worst = expected.reduce((most, y, i) => Math.max(most, Math.abs(y - got[i])), 0);
  // NaN is not below anything.
  assert.ok(worst <= allowed, `${what}: ${worst} away, with ${allowed} allowed`);
  return worst / allowed;
}

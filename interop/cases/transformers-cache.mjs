// A conversation that begins in ours goes on in @huggingface/transformers, from a cache that was saved and restored, and
// what it generates comes back.
import { AutoModelForCausalLM, DynamicCache, Tensor, env } from "@huggingface/transformers";
import { causal, groupedQuery } from "@qkv/attention";
import { growingCache, pagedCache, quantizedCache } from "@qkv/kv-cache";
import { fromPastKeyValues, toPastKeyValues } from "@qkv/kv-cache/past-key-values";
import { add, embedding, matmul, mul, randn, tensor, transpose } from "@qkv/tensor";
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cachedModel } from "../../scripts/cached-model.mjs";

const [vocabSize, embedDim, numHeads, numKvHeads, numLayers] = [23, 16, 4, 2, 2];
const layer = groupedQuery({ embedDim, numHeads, numKvHeads, mask: causal() });
// Large weights, so that generated tokens do not only repeat the last one.
const params = Array.from({ length: numLayers }, (_, i) => {
  const { output, ...rest } = layer.init(i + 1);
  return { ...rest, output: { weight: mul(output.weight, 6) } };
});
const table = randn([vocabSize, embedDim], { seed: 9 });
const prompt = [3, 1, 4, 1, 5, 9, 2];

/** Logits of the new ids, by ours. */
function logits(ids, cache) {
  let x = embedding(table, tensor(ids, { shape: [1, ids.length], dtype: "int32" }));
  params.forEach((own, i) => (x = add(x, layer.apply(own, x, { layer: i, cache }))));
  return matmul(x, transpose(table));
}

/** The likeliest tokens, by ours. */
function continued(ids, cache, count) {
  const made = [];
  for (let next = ids; made.length < count; next = made.slice(-1)) {
    const row = logits(next, cache).data.slice(-vocabSize);
    made.push(row.indexOf(Math.max(...row)));
  }
  return made;
}

/** The model in a folder, as transformers.js loads one; nothing is asked of a network. */
async function loaded() {
  const folder = mkdtempSync(join(tmpdir(), "qkv-interop-"));
  mkdirSync(join(folder, "tiny/onnx"), { recursive: true });
  const config = {
    ...{ model_type: "llama", architectures: ["LlamaForCausalLM"], vocab_size: vocabSize },
    ...{ hidden_size: embedDim, num_attention_heads: numHeads, num_key_value_heads: numKvHeads },
    ...{ num_hidden_layers: numLayers, eos_token_id: 22, bos_token_id: 1 },
  };
  writeFileSync(join(folder, "tiny/config.json"), JSON.stringify(config));
  writeFileSync(join(folder, "tiny/generation_config.json"), "{}");
  const layers = params.map(({ query, key, value, output }) => ({
    query: query.weight.data,
    key: key.weight.data,
    value: value.weight.data,
    output: output.weight.data,
  }));
  const sizes = { vocabSize, embedDim, numHeads, numKvHeads };
  writeFileSync(join(folder, "tiny/onnx/model.onnx"), cachedModel(sizes, { embedding: table.data, layers }));
  env.allowRemoteModels = false;
  env.localModelPath = folder;
  const model = await AutoModelForCausalLM.from_pretrained("tiny", { dtype: "fp32", device: "cpu" });
  return { model, remove: () => rmSync(folder, { recursive: true }) };
}

const ids = (list) => new Tensor("int64", BigInt64Array.from(list, BigInt), [1, list.length]);
const past = (cache) => new DynamicCache(toPastKeyValues(cache, (...all) => new Tensor(...all)));
const ones = (length) => ids(new Array(length).fill(1));

export async function run() {
  const { model, remove } = await loaded();
  try {
    const expected = continued(prompt, growingCache({ numLayers }), 8);
    assert.ok(new Set(expected).size > 2, "the continuation says something");

    for (const make of [
      () => growingCache({ numLayers }),
      () => pagedCache({ numLayers, pages: 12, pageLength: 4 }),
    ]) {
      const cache = make();
      const first = continued(prompt, cache, 3);
      const restored = make();
      restored.restore(cache.save());
      // The last token that was chosen is not in the cache yet.
      const history = [...prompt, ...first];
      const { sequences, past_key_values } = await model.generate({
        inputs: ids(history),
        attention_mask: ones(history.length),
        past_key_values: past(restored),
        max_new_tokens: 3,
        do_sample: false,
        return_dict_in_generate: true,
      });
      const theirs = Array.from(sequences.data, Number).slice(prompt.length);
      assert.deepEqual(theirs, expected.slice(0, 6));

      fromPastKeyValues(restored, past_key_values);
      assert.equal(restored.length, history.length + 2);
      assert.deepEqual(continued(theirs.slice(-1), restored, 2), expected.slice(6));
    }

    // A single step, number for number; and int8, which is near.
    const [cache, small] = [
      growingCache({ numLayers }),
      quantizedCache({ numLayers, groupSize: 4, residualLength: 0 }),
    ];
    for (const one of [cache, small]) logits(prompt, one);
    for (const [one, tolerance] of [
      [cache, 2e-5],
      [small, 0.2],
    ]) {
      const step = await model.forward({
        input_ids: ids([6]),
        attention_mask: ones(8),
        past_key_values: past(one),
      });
      const exact = logits([6], cache.fork()).data;
      step.logits.data.forEach((y, i) =>
        assert.ok(Math.abs(y - exact[i]) <= tolerance * Math.max(1, Math.abs(exact[i]))),
      );
    }
  } finally {
    await model.dispose();
    remove();
  }
}

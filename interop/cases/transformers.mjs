// What is exported is read by @huggingface/transformers from a folder on this disk: its tokenizer gives our ids, its model
// our tokens. Our own model and stories260K are exported by the command, as a user does it.
import {
  AutoModel,
  AutoModelForCausalLM,
  AutoModelForMaskedLM,
  AutoTokenizer,
  Tensor,
  env,
  pipeline,
} from "@huggingface/transformers";
import { padding } from "@qkv/attention";
import * as tensors from "@qkv/tensor";
import { encoder, loadEncoder } from "@qkv/transformer";
import { exportModel } from "@qkv/transformer/export";
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ownData } from "../../conformance/reference-data.mjs";
import { encoderConfig, scaledParams, prompt } from "../../scripts/random-models.mjs";
import { agree, count, decoders, greedy, tableDecodersInOnnx } from "../handed-over.mjs";

/** Architectures that this engine lacks, by their names before a comma, and its error for each. */
const unsupported = {
  mixtral: /Unsupported model type: mixtral/,
  // It asks for keys and values in one tensor, as older exports have it.
  gpt_bigcode: /Missing the following inputs: past_key_values.0.key/,
  // It reads heads of another name from this configuration.
  falcon: /Missing the following inputs: past_key_values.0.key/,
  deepseek_v2: /Unsupported model type: deepseek_v2/,
  dots1: /Unsupported model type: dots1/,
  ernie4_5_moe: /Unsupported model type: ernie4_5_moe/,
  exaone4: /Unsupported model type: exaone4/,
  exaone_moe: /Unsupported model type: exaone_moe/,
  glm4: /Unsupported model type: glm4/,
  glm4_moe: /Unsupported model type: glm4_moe/,
  granitemoe: /Unsupported model type: granitemoe/,
  granitemoeshared: /Unsupported model type: granitemoeshared/,
  hunyuan_v1_moe: /Unsupported model type: hunyuan_v1_moe/,
  jais2: /Unsupported model type: nemotron/, // the first whose configuration is the same
  minicpm3: /Unsupported model type: minicpm3/,
  minimax_m2: /Unsupported model type: minimax_m2/,
  nemotron: /Unsupported model type: nemotron/,
  olmoe: /Unsupported model type: olmoe/,
  starcoder2: /Unsupported model type: nemotron/, // the first whose configuration is the same
};

const cli = fileURLToPath(new URL("../.cache/ours/node_modules/qkv/dist/qkv.js", import.meta.url));
const int64 = (rows) =>
  new Tensor("int64", BigInt64Array.from(rows.flat(), BigInt), [rows.length, rows[0].length]);
const fp32 = { dtype: "fp32", device: "cpu" };

/** Our tokens as far as the engine goes: to the first that ends a text. */
function toTheEnd(ids, { stopIds }) {
  const end = ids.findIndex((id) => stopIds.includes(id));
  return end < 0 ? ids : ids.slice(0, end + 1);
}

async function runDecoder({ name, model, prompts, source }, opset, root) {
  const folder = `${name.match(/\w+/g).join("-")}-${opset}`; // a name that this engine takes for one
  const out = join(root, folder);
  if (source) {
    const [from, ...options] = source;
    const args = ["export", from, out, "--to", "onnx", "--opset", String(opset), ...options];
    execFileSync(process.execPath, [cli, ...args], { stdio: ["ignore", "ignore", "inherit"] });
  } else await exportModel(model, { to: "onnx", opset, out });
  const expected = prompts.map((ids) => greedy(model, ids));
  const wanted = expected.map(({ ids }) => toTheEnd(ids, model.config));
  const theirs = await AutoModelForCausalLM.from_pretrained(folder, fp32);
  let worst = 0;
  const settings = { max_new_tokens: count, do_sample: false };
  for (const [b, ids] of prompts.entries()) {
    const inputs = { input_ids: int64([ids]), attention_mask: int64([ids.map(() => 1)]) };
    const { logits } = await theirs.forward(inputs);
    const row = logits.data.slice(-model.config.vocabSize);
    worst = Math.max(worst, agree(row, expected[b].logits[0], `${name}, opset ${opset}`));
    const generated = await theirs.generate({ ...inputs, ...settings });
    assert.deepEqual(
      Array.from(generated.data, Number).slice(ids.length),
      wanted[b],
      `${name}, opset ${opset}`,
    );
  }
  // Side by side, with padding in front of the shorter one.
  const longest = Math.max(...prompts.map(({ length }) => length));
  const filled = (of) => prompts.map((ids) => [...new Array(longest - ids.length).fill(0), ...ids.map(of)]);
  const generated = await theirs.generate({
    input_ids: int64(filled((id) => id)),
    attention_mask: int64(filled(() => 1)),
    ...settings,
  });
  const all = Array.from(generated.data, Number);
  const length = generated.dims[1];
  wanted.forEach((ids, b) => {
    const own = all.slice(b * length + longest, (b + 1) * length).slice(0, ids.length);
    assert.deepEqual(own, ids, `${name}, opset ${opset}, prompt ${b} of two`);
  });
  await theirs.dispose();
  if (model.tokenizer) await runTokenizer(folder, model, wanted[0]);
  return worst;
}

/** Its tokenizer, from either folder, and its pipeline from text to text. */
async function runTokenizer(folder, model, wanted) {
  const hf = `${folder}-hf`;
  await exportModel(model, { to: "hf", out: join(env.localModelPath, hf) });
  const texts = ["Once upon a time there was a boat", " Two  spaces, a\nline & “quotes” — naïve 猫 🐈"];
  for (const each of [folder, hf]) {
    const tokenizer = await AutoTokenizer.from_pretrained(each);
    for (const text of texts) {
      const ids = model.tokenizer.encode(text);
      assert.deepEqual(tokenizer.encode(text), ids, `${each}: ${JSON.stringify(text)}`);
      const theirs = tokenizer.decode(ids, { skip_special_tokens: true });
      assert.equal(theirs, model.tokenizer.decode(ids), `${each}: ${JSON.stringify(text)}`);
    }
  }
  const generator = await pipeline("text-generation", folder, fp32);
  const [{ generated_text: generated }] = await generator(texts[0], {
    max_new_tokens: count,
    do_sample: false,
  });
  const ids = [
    ...model.tokenizer.encode(texts[0]),
    ...wanted.filter((id) => !model.config.stopIds.includes(id)),
  ];
  assert.equal(generated, model.tokenizer.decode(ids));
  await generator.dispose();
}

/** Rows of ours and of the engine's, those of padding left out. */
function agreeInRows(got, expected, lengths, what) {
  assert.deepEqual(got.dims, expected.shape, what);
  const [, longest, width] = got.dims;
  let worst = 0;
  lengths.forEach((length, b) => {
    for (let t = 0; t < length; t++) {
      const row = ({ data }) => data.slice((b * longest + t) * width, (b * longest + t + 1) * width);
      worst = Math.max(worst, agree(row(got), row(expected), `${what} ${b} ${t}`));
    }
  });
  return worst;
}

/** BERT with its head: a random one, two texts of different lengths. */
async function runEncoder(opset, root) {
  const bert = encoder(encoderConfig);
  const params = scaledParams(tensors, bert.init(1));
  const folder = `bert-${opset}`;
  await exportModel({ config: encoderConfig, params }, { to: "onnx", opset, out: join(root, folder) });
  const rows = [prompt, prompt.toReversed()];
  const lengths = [prompt.length, 7];
  const types = rows.map((row) => row.map((_, i) => (i > 4 ? 1 : 0)));
  const tensor = (of) => tensors.tensor(of, { dtype: "int32" });
  const states = bert.apply(params, tensor(rows), { types: tensor(types), mask: padding(lengths) });
  const theirs = await AutoModelForMaskedLM.from_pretrained(folder, fp32);
  const { logits } = await theirs.forward({
    input_ids: int64(rows),
    token_type_ids: int64(types),
    attention_mask: int64(lengths.map((n) => prompt.map((_, i) => (i < n ? 1 : 0)))),
  });
  await theirs.dispose();
  return agreeInRows(logits, bert.maskedTokenLogits(params, states), lengths, `bert, opset ${opset}`);
}

/** BERT from somebody else's files, with its tokenizer. */
async function runTinyBert(opset, root) {
  const source = ownData.path("models/tiny-bert-random");
  const model = await loadEncoder(source);
  const folder = `tiny-bert-${opset}`;
  await exportModel(model, { to: "onnx", opset, out: join(root, folder) });
  const tokenizer = await AutoTokenizer.from_pretrained(folder);
  const theirs = await AutoModel.from_pretrained(folder, fp32);
  let worst = 0;
  for (const text of ["a small cat", "Where is the boat?"]) {
    const ids = model.tokenizer.encode(text);
    const inputs = await tokenizer(text);
    assert.deepEqual(Array.from(inputs.input_ids.data, Number), ids);
    const { last_hidden_state: got } = await theirs.forward(inputs);
    worst = Math.max(worst, agreeInRows(got, model.apply(model.params, ids), [ids.length], folder));
  }
  await theirs.dispose();
  return worst;
}

export async function run() {
  const root = mkdtempSync(join(tmpdir(), "qkv-interop-"));
  env.allowRemoteModels = false;
  env.localModelPath = root;
  try {
    const failures = [];
    const models = [...(await decoders()), ...tableDecodersInOnnx()];
    for (const opset of [23, 17]) {
      const told = (name, worst) =>
        console.log(`  ${name}, opset ${opset}: agrees, logits at ${worst.toFixed(3)} of what is allowed`);
      for (const each of models) {
        const message = unsupported[each.name.split(",")[0]];
        if (message) {
          const error = await runDecoder(each, opset, root).then(
            () => undefined,
            (error) => error,
          );
          assert.match(String(error?.message), message);
          console.log(`  ${each.name}, opset ${opset}: not run by this engine, which says: ${error.message}`);
        } else {
          // The others are run nevertheless.
          await runDecoder(each, opset, root).then(
            (worst) => told(each.name, worst),
            (error) => failures.push(new Error(`${each.name}, opset ${opset}`, { cause: error })),
          );
        }
      }
      told("bert", await runEncoder(opset, root));
      told("tiny-bert-random", await runTinyBert(opset, root));
    }
    for (const { message, cause } of failures) console.log(`  ${message}: ${cause.message}`);
    assert.deepEqual(failures, []);
  } finally {
    rmSync(root, { recursive: true });
  }
}

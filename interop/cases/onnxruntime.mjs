// Models exported as ONNX generate in onnxruntime-node what they generate here: of opset 23 and of 17's operators, alone and beside a
// prompt of another length, through keys and values that go in and come out.
import { padding } from "@qkv/attention";
import * as tensors from "@qkv/tensor";
import { encoder } from "@qkv/transformer";
import { exportModel } from "@qkv/transformer/export";
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { greedyOnnx } from "../../scripts/greedy-onnx.mjs";
import { encoderConfig, scaledParams, prompt } from "../../scripts/random-models.mjs";
import { agree, count, decoders, greedy, tableDecodersInOnnx } from "../handed-over.mjs";

const int64 = (rows) =>
  new Tensor("int64", BigInt64Array.from(rows.flat(), BigInt), [rows.length, rows[0].length]);

async function runDecoder({ name, model, prompts }, opset, folder) {
  const out = join(folder, `${name.replaceAll(/\W+/g, "-")}-${opset}`);
  await exportModel(model, { to: "onnx", opset, out });
  const session = await InferenceSession.create(join(out, "onnx/model.onnx"), { logSeverityLevel: 3 });
  let worst = 0;
  const expected = prompts.map((ids) => greedy(model, ids));
  for (const own of [[0], [1], [0, 1]]) {
    const chosen = own.map((b) => prompts[b]);
    const generated = await greedyOnnx({ Tensor, session }, model.config, chosen, count);
    generated.forEach(({ ids, logits }, i) => {
      const ours = expected[own[i]];
      const what = `${name}, opset ${opset}, prompt ${own[i]} of [${own}]`;
      logits.forEach(
        (row, n) => (worst = Math.max(worst, agree(row, ours.logits[n], `${what}, token ${n}`))),
      );
      assert.deepEqual(ids, ours.ids, what);
    });
  }
  await session.release();
  return worst;
}

/** BERT: two texts of different lengths, two types of tokens, with its head. */
async function runEncoder(opset, folder) {
  const bert = encoder(encoderConfig);
  const params = scaledParams(tensors, bert.init(1));
  const lengths = [prompt.length, 7];
  const rows = [prompt, prompt.toReversed()];
  const types = rows.map((row) => row.map((_, i) => (i > 4 ? 1 : 0)));
  const tensor = (of) => tensors.tensor(of, { dtype: "int32" });
  const states = bert.apply(params, tensor(rows), { types: tensor(types), mask: padding(lengths) });
  const logits = bert.maskedTokenLogits(params, states);

  const out = join(folder, `bert-${opset}`);
  await exportModel({ config: encoderConfig, params }, { to: "onnx", opset, out });
  const session = await InferenceSession.create(join(out, "onnx/model.onnx"), { logSeverityLevel: 3 });
  const outputs = await session.run({
    input_ids: int64(rows),
    token_type_ids: int64(types),
    attention_mask: int64(lengths.map((n) => prompt.map((_, i) => (i < n ? 1 : 0)))),
  });
  let worst = 0;
  for (const [name, ours] of Object.entries({ last_hidden_state: states, logits })) {
    const { data, dims } = outputs[name];
    assert.deepEqual(dims, ours.shape);
    const width = dims[2];
    lengths.forEach((length, b) => {
      // Rows of padding exist but mean nothing.
      for (let t = 0; t < length; t++) {
        const at = (b * prompt.length + t) * width;
        const row = (of) => of.slice(at, at + width);
        worst = Math.max(worst, agree(row(data), row(ours.data), `bert, opset ${opset}, ${name} ${b} ${t}`));
      }
    });
  }
  await session.release();
  return worst;
}

export async function run() {
  const folder = mkdtempSync(join(tmpdir(), "qkv-interop-"));
  try {
    const models = [...(await decoders()), ...tableDecodersInOnnx()];
    for (const opset of [23, 17]) {
      for (const each of models) {
        const worst = await runDecoder(each, opset, folder);
        console.log(
          `  ${each.name}, opset ${opset}: ${count} tokens equal, logits at ${worst.toFixed(3)} of what is allowed`,
        );
      }
      const worst = await runEncoder(opset, folder);
      console.log(`  bert, opset ${opset}: rows at ${worst.toFixed(3)} of what is allowed`);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

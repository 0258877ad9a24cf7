import { matmul, slice, transpose } from "@qkv/tensor";
import { generate, load, type Model } from "@qkv/transformer";
import { cpSync, mkdtempSync, renameSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { ownData } from "../../reference-data.mjs";
import { readTensor } from "../reference-tensor.js";
import { toTensor } from "../to-tensor.js";
import { devices, logitTolerance } from "./agree.js";

const folder = ownData.path("hf/gemma3-bidirectional");

type Case = { name: string; inputs: { name: string }[]; outputs: { name: string }[] };
const { cases } = ownData.json("hf/gemma3-bidirectional/refs.json") as { cases: Case[] };
const findTensor = (tensors: readonly { name: string }[], name: string) =>
  readTensor(tensors.find((one) => one.name === name));

/** Compares our logits with the reference, whose logits are the last hidden states times the tied embedding. */
function compare(model: Model, name: string): void {
  const { inputs, outputs } = cases.find((one) => one.name === name)!;
  const { device } = model.params.embedding.weight;
  const ids = toTensor(findTensor(inputs, "input_ids"), { device } as never);
  const rows = toTensor(findTensor(outputs, "last_hidden_state"), { device } as never);
  const expected = matmul(rows, transpose(model.params.embedding.weight));
  expect(model.apply(model.params, ids)).toBeAllclose(expected, logitTolerance);
}

test("EmbeddingGemma: bidirectional attention with centered windows gives the logits of transformers", async () => {
  for (const device of await devices()) {
    const model = await load(folder, { device });
    expect(model.config).toMatchObject({ bidirectional: true, window: 9 }); // 4 tokens on each side, and the token itself
    for (const name of ["plain", "long"]) compare(model, name);
  }
});

test("EmbeddingGemma: the field names of published config files give the same model", async () => {
  const older = join(mkdtempSync(join(tmpdir(), "qkv-gemma-")), "model");
  cpSync(folder, older, { recursive: true });
  renameSync(join(older, "config.v4.json"), join(older, "config.json"));
  const model = await load(older);
  expect(model.config).toEqual((await load(folder)).config);
  compare(model, "long");
});

test("EmbeddingGemma: the first token depends on the last, and generation is refused", async () => {
  const model = await load(folder);
  const first = (ids: number[]) => slice(model.apply(model.params, ids), 1, 0, 1).data;
  expect(first([5, 6, 7])).not.toEqual(first([5, 6, 8]));
  await expect(generate(model, [5, 6]).next()).rejects.toThrow(/bidirectional/);
});

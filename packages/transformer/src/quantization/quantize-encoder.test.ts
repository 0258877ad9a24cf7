import { js, tensor, type Device } from "@qkv/tensor";
import { isQuantized } from "@qkv/tensor/quantized";
import { loadTokenizer } from "@qkv/tokenizer";
import { expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { dequantizedParams } from "@qkv/test-support/dequantized-params";
import { ownData } from "../../../../conformance/reference-data.mjs";
import { embed } from "../embedding/embed.js";
import { load, loadEncoder } from "../load.js";
import { loadAny } from "../load-any.js";
import { loadSpeech } from "../load-speech.js";
import { encoder } from "../models/encoder.js";
import type { EncoderModel, TextModel } from "../models/model.js";
import { taskLogits } from "../models/task-head.js";
import { quantize } from "./quantize.js";

/** The files of a checkpoint in the reference data, including those of sentence-transformers modules. */
const files = (folder: string): File[] =>
  ownData
    .files(folder)
    .map((path) => path.slice(folder.length + 1))
    .filter((name) => name !== "refs.json")
    .map((name) => new File([ownData.bytes(`${folder}/${name}`) as BlobPart], name));

const ids = tensor([[3, 14, 15, 9, 26, 5]], { dtype: "int32" });

/** A float32 model with the dequantized weights of a quantized one. */
function dequantizedModel(model: EncoderModel, plain: EncoderModel): EncoderModel {
  const { apply, maskedTokenLogits } = encoder(model.config);
  const params = dequantizedParams(model.params, plain.params);
  return { ...model, params, apply, maskedTokenLogits };
}

/** Lower and upper bounds of the relative quantization errors. */
const bounds = [
  ["int8", 0.001, 0.015],
  ["int4", 0.02, 0.15],
] as const;

test.each(["electra", "albert", "modernbert", "mpnet", "nomic-bert", "distilbert-mlm"])(
  "%s loaded in 8 and 4 bits equals the float32 model with dequantized weights",
  async (folder) => {
    const plain = await loadEncoder(files(`hf/${folder}`));
    for (const [kind, least, most] of bounds) {
      const model = await loadEncoder(files(`hf/${folder}`), { quantize: kind });
      const { errors, bytesBefore, bytesAfter } = model.quantization!;
      expect(Object.keys(errors)).toContain("layers.0.attention.query.weight");
      expect("embeddingProjection.weight" in errors).toBe(plain.params.embeddingProjection !== undefined);
      expect("maskedTokenHead.dense.weight" in errors).toBe(plain.params.maskedTokenHead !== undefined);
      for (const error of Object.values(errors)) {
        expect(error).toBeGreaterThan(least);
        expect(error).toBeLessThan(most);
      }
      expect(bytesAfter).toBeLessThan(bytesBefore);
      expect(isQuantized(model.params.layers[0]!.feedForward.down.weight)).toBe(true);
      expect(model.params.embedding.weight.data).toEqual(plain.params.embedding.weight.data);
      const rows = model.apply(model.params, ids);
      const same = dequantizedModel(model, plain);
      expect(rows).toBeAllclose(same.apply(same.params, ids), { rtol: 1e-4, atol: 1e-4 });
      // `quantize` of the loaded model gives the same.
      const { model: after, report } = quantize(plain, { kind });
      expect(after.apply(after.params, ids).data).toEqual(rows.data);
      expect(report).toEqual(model.quantization);
      if (!plain.params.maskedTokenHead) continue;
      expect(model.maskedTokenLogits(model.params, rows)).toBeAllclose(
        same.maskedTokenLogits(same.params, rows),
        { rtol: 1e-4, atol: 1e-4 },
      );
    }
  },
);

test.each([
  "bert-sequence-classification",
  "electra-sequence-classification",
  "modernbert-sequence-classification",
])("%s: the head is not quantized", async (folder) => {
  const plain = await loadEncoder(files(`hf/${folder}`));
  const model = await loadEncoder(files(`hf/${folder}`), { quantize: "int4" });
  const paths = Object.keys(model.quantization!.errors);
  expect(paths.filter((path) => path.startsWith("head."))).toEqual([]);
  expect(model.params.head!.output!.weight.data).toEqual(plain.params.head!.output!.weight.data);
  expect(model.params.head!.dense?.weight.data).toEqual(plain.params.head!.dense?.weight.data);
  const logits = (encoderModel: EncoderModel) =>
    taskLogits(encoderModel, encoderModel.apply(encoderModel.params, ids));
  expect(logits(model)).toBeAllclose(logits(dequantizedModel(model, plain)), { rtol: 1e-4, atol: 1e-4 });
  expect(logits(model).data).not.toEqual(logits(plain).data);
});

const words = Object.fromEntries(["a", "b", "c", "d", "e", "f"].map((word, id) => [word, id + 5]));
const vocabulary = {
  pre_tokenizer: { type: "Whitespace" },
  model: { type: "WordLevel", vocab: { "[UNK]": 0, ...words }, unk_token: "[UNK]" },
};
const tokenizer = loadTokenizer({ "tokenizer.json": new TextEncoder().encode(JSON.stringify(vocabulary)) });
const texts = ["a b c", "f e d c b a"];

test.each(["bert-cls-dense", "bert-mean-normalize"])(
  "embeddings of %s in 8 and 4 bits equal those with dequantized weights, through its modules",
  async (folder) => {
    const open = (options?: { quantize: "int8" | "int4" }) =>
      loadEncoder(files(`sentence-transformers/${folder}`), { tokenizer, ...options });
    const plain = await open();
    const floatEmbeddings = await embed(plain, texts);
    const distances: number[] = [];
    for (const [quantize] of bounds) {
      const model = await open({ quantize });
      const vectors = await embed(model, texts);
      const same = await embed(dequantizedModel(model, plain), texts);
      for (const [i, vector] of vectors.entries())
        expect(vector).toBeAllclose(same[i]!, { rtol: 1e-4, atol: 1e-5 });
      distances.push(Math.hypot(...vectors[0]!.map((x, i) => x - floatEmbeddings[0]![i]!)));
    }
    expect(distances[0]).toBeGreaterThan(0);
    expect(distances[1]).toBeGreaterThan(3 * distances[0]!);
  },
);

test("loadAny quantizes decoders, encoders and encoder-decoders", async () => {
  for (const folder of ["sentence-transformers/gemma3-mean-dense-dense", "hf/bert-mlm", "hf/bart"]) {
    const model = (await loadAny(files(folder), { quantize: "int8" })) as TextModel;
    expect(Object.keys(model.quantization!.errors).length).toBeGreaterThan(0);
  }
  const decoder = await load(files("hf/gpt2"), { quantize: "int8" });
  const any = (await loadAny(files("hf/gpt2"), { quantize: "int8" })) as TextModel;
  expect(any.quantization).toEqual(decoder.quantization);
});

test("a model that does not fit into device memory is refused, with the quantizations that fit", async () => {
  const deviceWith = (maxBytes: number) =>
    Object.assign(Object.create(js()) as Device, { memory: () => ({ bytes: 0, peakBytes: 0, maxBytes }) });
  await expect(loadEncoder(files("hf/electra"), { device: deviceWith(100_000) })).rejects.toThrow(
    /\nFix: `quantize: "int8"` needs 1 MiB; `quantize: "int4"` needs 1 MiB; `js\(\)`/,
  );
  const error: unknown = await loadSpeech(files("hf/whisper"), { device: deviceWith(300_000) }).catch(
    (error: unknown) => error,
  );
  expect(String(error)).toMatch(
    /\nFix: `quantize: "int8"` needs 1 MiB; `quantize: "int4"` needs 1 MiB; `js\(\)` of @qkv\/tensor/,
  );
});

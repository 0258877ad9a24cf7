import { randn, tensor } from "@qkv/tensor";
import { isQuantized } from "@qkv/tensor/quantized";
import { expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { dequantizedParams } from "@qkv/test-support/dequantized-params";
import { ownData } from "../../../../conformance/reference-data.mjs";
import { loadEncoderDecoder } from "../load.js";
import { loadSpeech } from "../load-speech.js";
import { loadDualEncoder, loadVision } from "../load-vision.js";
import { dualEncoder } from "../models/dual-encoder.js";
import { encoderDecoder } from "../models/encoder-decoder.js";
import type { QuantizationReport } from "../models/quantization-report.js";
import { speechToText } from "../models/speech-to-text.js";
import { visionTransformer } from "../models/vision-transformer.js";
import { quantize } from "./quantize.js";

/** The files of a checkpoint in the reference data. */
const files = (folder: string): File[] =>
  ["config.json", "model.safetensors"].map(
    (name) => new File([ownData.bytes(`hf/${folder}/${name}`) as BlobPart], name),
  );

/** Lower and upper bounds of the relative quantization errors. */
const bounds = [
  ["int8", 0.001, 0.015],
  ["int4", 0.02, 0.15],
] as const;
const near = { rtol: 1e-4, atol: 1e-4 };

function checkReport(
  { errors, bytesBefore, bytesAfter }: QuantizationReport,
  [, least, most]: (typeof bounds)[number],
  paths: readonly string[],
) {
  for (const path of paths) expect(Object.keys(errors)).toContain(path);
  for (const error of Object.values(errors)) {
    expect(error).toBeGreaterThan(least);
    expect(error).toBeLessThan(most);
  }
  expect(bytesAfter).toBeLessThan(bytesBefore);
}

test.each([
  ["whisper", randn([1, 16, 40], { seed: 1 })],
  ["moonshine", randn([1, 9000], { seed: 1 })],
])("logits of %s in 8 and 4 bits equal those with dequantized weights", async (folder, sound) => {
  const plain = await loadSpeech(files(folder));
  for (const bound of bounds) {
    const model = await loadSpeech(files(folder), { quantize: bound[0] });
    const paths = ["encoder.layers.0.attention.query", "decoder.layers.1.crossAttention.key", "output"];
    checkReport(
      model.quantization!,
      bound,
      paths.map((path) => `${path}.weight`),
    );
    const { params } = model;
    expect(isQuantized(params.decoder.layers[0]!.feedForward.down.weight)).toBe(true);
    expect(params.embedding.weight.data).toEqual(plain.params.embedding.weight.data);
    expect(params.encoder.convolutions[0]!.weight.data).toEqual(
      plain.params.encoder.convolutions[0]!.weight.data,
    );
    const untiedParams = { ...plain.params, output: { weight: plain.params.embedding.weight } };
    const same = dequantizedParams(params, untiedParams as typeof params);
    const floats = speechToText(model.config);
    const [source, expected] = [model.encode(params, sound), floats.encode(same, sound)];
    expect(source.rows).toBeAllclose(expected.rows, near);
    const ids = [4, 9, 20];
    expect(model.apply(params, ids, { source })).toBeAllclose(
      floats.apply(same, ids, { source: expected }),
      near,
    );
  }
});

test.each(["t5", "t5-gated", "bart", "marian", "m2m-100"])(
  "logits of %s in 8 and 4 bits equal those with dequantized weights",
  async (folder) => {
    const plain = await loadEncoderDecoder(files(folder));
    for (const bound of bounds) {
      const model = await loadEncoderDecoder(files(folder), { quantize: bound[0] });
      const paths = ["encoder.layers.0.feedForward.up", "decoder.layers.1.crossAttention.value", "output"];
      checkReport(
        model.quantization!,
        bound,
        paths.map((path) => `${path}.weight`),
      );
      const { params } = model;
      const { weight = plain.params.embedding.weight } = plain.params.output ?? {};
      const untiedParams = { ...plain.params, output: { ...plain.params.output, weight } };
      const same = dequantizedParams(params, untiedParams as typeof params);
      const floats = encoderDecoder(model.config);
      const text = [3, 14, 15, 9, 26, 5];
      const [source, expected] = [model.encode(params, text), floats.encode(same, text)];
      expect(source.rows).toBeAllclose(expected.rows, near);
      expect(model.apply(params, [2, 9], { source })).toBeAllclose(
        floats.apply(same, [2, 9], { source: expected }),
        near,
      );
    }
  },
);

const pixels = randn([2, 3, 16, 16], { seed: 3 });

test.each(["vit", "dinov2"])(
  "hidden states of %s in 8 and 4 bits equal those with dequantized weights",
  async (folder) => {
    const plain = await loadVision(files(folder));
    for (const bound of bounds) {
      const model = await loadVision(files(folder), { quantize: bound[0] });
      checkReport(model.quantization!, bound, [
        "layers.0.attention.query.weight",
        "layers.1.feedForward.down.weight",
      ]);
      const floats = visionTransformer(model.config);
      const same = dequantizedParams(model.params, plain.params);
      expect(model.apply(model.params, pixels)).toBeAllclose(floats.apply(same, pixels), near);
    }
  },
);

test.each(["clip", "siglip"])(
  "embeddings of %s in 8 and 4 bits equal those with dequantized weights",
  async (folder) => {
    const plain = await loadDualEncoder(files(folder));
    const texts = tensor([[5, 6, 7, 111]], { dtype: "int32" });
    for (const bound of bounds) {
      const model = await loadDualEncoder(files(folder), { quantize: bound[0] });
      const paths = ["text.layers.0.attention.query", "vision.layers.0.attention.query", "textProjection"];
      checkReport(
        model.quantization!,
        bound,
        paths.map((path) => `${path}.weight`),
      );
      const floats = dualEncoder(model.config);
      const same = dequantizedParams(model.params, plain.params);
      const [images, ids] = [model.embedImages(model.params, pixels), model.embedTexts(model.params, texts)];
      expect(images).toBeAllclose(floats.embedImages(same, pixels), near);
      expect(ids).toBeAllclose(floats.embedTexts(same, texts), near);
    }
  },
);

test("quantize refuses a loaded vision or speech model, with the option of its loader", async () => {
  for (const model of [await loadSpeech(files("whisper")), await loadDualEncoder(files("clip"))])
    expect(() => quantize(model as never)).toThrow(
      /expected a decoder or an encoder or an encoder–decoder.*\nFix: load it with `quantize: "int8"`/,
    );
});

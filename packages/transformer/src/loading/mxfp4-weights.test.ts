import { tensor, tensorsOf, transpose, type Tensor } from "@qkv/tensor";
import { openSafetensors, writeSafetensors } from "@qkv/tensor/safetensors";
import { expect, test } from "vitest";
import { exportModel } from "../exporting/export-model.js";
import { memoryFolder } from "../exporting/memory-folder.js";
import { load } from "../load.js";
import { decoder } from "../models/decoder.js";
import type { DecoderConfig } from "../models/decoder-config.js";

const magnitudes = [0, 0.5, 1, 1.5, 2, 3, 4, 6];

/** Quantizes values to MXFP4: packed blocks, exponents of the scales, and the dequantized values. */
function quantize(values: ArrayLike<number>) {
  const count = values.length / 32;
  const [blocks, scales] = [new Uint8Array(16 * count), new Uint8Array(count)];
  const dequantized = new Float32Array(values.length);
  for (let block = 0; block < count; block++) {
    const blockValues = Array.from({ length: 32 }, (_, i) => values[32 * block + i]!);
    const exponent = Math.floor(Math.log2(Math.max(...blockValues.map(Math.abs)))) - 2;
    scales[block] = exponent + 127;
    blockValues.forEach((x, i) => {
      const size = Math.abs(x) / 2 ** exponent;
      const [nearest] = [...magnitudes.keys()].sort(
        (a, b) => Math.abs(magnitudes[a]! - size) - Math.abs(magnitudes[b]! - size),
      );
      const code = nearest! + (x < 0 ? 8 : 0);
      blocks[16 * block + Math.floor(i / 2)]! |= i % 2 === 0 ? code : code << 4;
      dequantized[32 * block + i] = Math.sign(x) * magnitudes[nearest!]! * 2 ** exponent;
    });
  }
  return { blocks, scales, dequantized };
}

const config: DecoderConfig = {
  ...{ vocabSize: 20, embedDim: 64, hiddenDim: 32, numLayers: 2, numHeads: 4, numKvHeads: 2 },
  ...{ contextLength: 64, normEps: 1e-5, stopIds: [], activation: "quickGelu", sinks: true },
  ...{ gateLimit: { limit: 7, offset: 1 }, experts: { numExperts: 3, expertsPerToken: 2 } },
  bias: { queryKeyValue: true, attentionOutput: true, feedForward: true },
};

/** Tensors of a model with experts in MXFP4, as published for gpt-oss, and the same tensors dequantized. */
async function files() {
  const { files, ...out } = memoryFolder();
  await exportModel({ config, params: decoder(config).init(1) }, { to: "hf", out });
  const [json, weights] = ["config.json", "model.safetensors"].map((name) =>
    files.find((file) => file.name === name)!,
  );
  const plain: Record<string, Tensor> = {};
  const packed: Record<string, Tensor> = {};
  const opened = await openSafetensors(new Uint8Array(await weights!.arrayBuffer()));
  for (const name of opened.names) {
    const x = await opened.get(name);
    if (!/experts\.\w+_proj$/.test(name)) {
      plain[name] = packed[name] = x;
      continue;
    }
    const [E, inner, out] = x.shape as [number, number, number];
    const { blocks, scales, dequantized } = quantize(transpose(x).data);
    plain[name] = transpose(tensor(dequantized, { shape: [E, out, inner] }));
    packed[`${name}_blocks`] = tensor(blocks, { shape: [E, out, inner / 32, 16], dtype: "uint8" });
    packed[`${name}_scales`] = tensor(scales, { shape: [E, out, inner / 32], dtype: "uint8" });
  }
  const fields = JSON.parse(await json!.text()) as object;
  const folder = async (tensors: Record<string, Tensor>, more: object) => [
    new File([JSON.stringify({ ...fields, ...more })], "config.json"),
    new File([(await writeSafetensors(tensors)) as BlobPart], "model.safetensors"),
  ];
  return { plain, packed, folder };
}

const mxfp4 = { quantization_config: { quant_method: "mxfp4", modules_to_not_convert: ["lm_head"] } };

test("experts in MXFP4 are dequantized on loading", async () => {
  const { plain, packed, folder } = await files();
  const [expected, model] = [await load(await folder(plain, {})), await load(await folder(packed, mxfp4))];
  const weights = ({ params }: typeof model) => tensorsOf(params).map(({ data }) => Array.from(data));
  expect(weights(model)).toEqual(weights(expected));
  const ids = [3, 1, 4, 1, 5];
  expect(model.apply(model.params, ids).data).toEqual(expected.apply(expected.params, ids).data);
});

test("blocks and scales whose shapes do not match, and other quantization methods, are refused", async () => {
  const { packed, folder } = await files();
  const name = "model.layers.0.mlp.experts.down_proj_scales";
  const mismatched = { ...packed, [name]: tensor(new Uint8Array(6), { shape: [3, 2], dtype: "uint8" }) };
  await expect(load(await folder(mismatched, mxfp4))).rejects.toThrow(
    /down_proj_blocks` is "a tensor \[3, 64, 1, 16\]/,
  );
  const gptq = { quantization_config: { quant_method: "gptq" } };
  await expect(load(await folder(packed, gptq))).rejects.toThrow(
    /quantization_config: quant_method` is "gptq"/,
  );
});

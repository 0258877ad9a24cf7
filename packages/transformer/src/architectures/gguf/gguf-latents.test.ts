import { mapTensors, randn, type Tensor } from "@qkv/tensor";
import { expect, test } from "vitest";
import type { WeightFile } from "../../loading/weight-file.js";
import { fileWeights } from "../../loading/weights.js";
import { decoder } from "../../models/decoder.js";
import type { DecoderConfig } from "../../models/decoder-config.js";
import { configFields } from "../config-fields.js";
import { readStored, writeStored } from "../stored-tensor.js";
import { ggufLatentHeads, ggufLatentProjections } from "./gguf-latents.js";

const config: DecoderConfig = {
  ...{ vocabSize: 8, embedDim: 12, hiddenDim: 16, numLayers: 1, numHeads: 3, numKvHeads: 3 },
  ...{ contextLength: 32, normEps: 1e-5, stopIds: [] },
  latent: { kvRank: 6, queryRank: 5, nopeDim: 4, ropeDim: 2, valueDim: 7 },
};

/** A file of the tensors that a table writes: with `split`, keys and values are separate tensors. */
function weightFile(layout: { split: boolean }, params: object): WeightFile {
  const tensors = new Map(
    writeStored(ggufLatentProjections(layout)(config), params).map((tensor) => [tensor.name, tensor]),
  );
  return {
    name: "test.gguf",
    fn: "load",
    names: [...tensors.keys()],
    shape: (name) => tensors.get(name)?.shape,
    async *chunks(name) {
      const { shape, rows } = tensors.get(name)!;
      yield Float32Array.from(rows(0, shape[0]!).data as Float32Array);
    },
  };
}

const dataByPath = (params: object) => {
  const data: Record<string, Tensor["data"]> = {};
  mapTensors(params, (x, path) => ((data[path] = x.data), x));
  return data;
};

test("separate key and value tensors, and the fused tensor of older files, are read as the same params", async () => {
  let seed = 0;
  const random = mapTensors(decoder(config).init(1), (x) => randn(x.shape, { seed: (seed += 1) }));
  const params = { attention: random.layers[0]!.attention };
  const read = (layout: { split: boolean }) =>
    readStored(ggufLatentProjections({ split: true })(config), fileWeights(weightFile(layout, params)));
  expect(weightFile({ split: true }, params).shape("attn_k_b.weight")).toEqual([3, 6, 4]);
  expect(weightFile({ split: true }, params).shape("attn_v_b.weight")).toEqual([3, 7, 6]);
  expect(weightFile({ split: false }, params).shape("attn_kv_b.weight")).toEqual([33, 6]);
  expect(dataByPath(await read({ split: true }))).toEqual(dataByPath(params));
  expect(dataByPath(await read({ split: false }))).toEqual(dataByPath(params));
});

test("head lengths are read from the keys for MLA, or from the only lengths of older files", () => {
  const read = (fields: object) =>
    ggufLatentHeads({ split: true }).read(configFields(fields, { name: "metadata", fn: "load" }), config);
  const [separate, fused] = [true, false].map((split) => ({
    ...ggufLatentHeads({ split }).write(config),
    "rope.dimension_count": 2,
  }));
  expect(separate).toMatchObject({ "attention.key_length": 8, "attention.key_length_mla": 6 });
  expect(fused).toMatchObject({ "attention.key_length": 6, "attention.head_count_kv": 3 });
  expect(read(separate!)).toEqual({ numKvHeads: 3, latent: config.latent });
  expect(read(fused!)).toEqual({ numKvHeads: 3, latent: config.latent });
  expect(() => read({ ...separate, "attention.key_length": 9 })).toThrow(
    /attention\.key_length` is 9, expected 8, as other fields say/,
  );
  expect(() => read({ ...fused, "attention.key_length": 2 })).toThrow(
    /rope\.dimension_count` is 2, expected below 2/,
  );
});

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

/** A file of the tensors that a table writes. */
function weightFile(form: { split: boolean }, params: object): WeightFile {
  const tensors = new Map(
    writeStored(ggufLatentProjections(form)(config), params).map((one) => [one.name, one]),
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

const numbers = (params: object) => {
  const all: Record<string, Tensor["data"]> = {};
  mapTensors(params, (x, path) => ((all[path] = x.data), x));
  return all;
};

test("keys and values apart, and together as in older files, are the same params", async () => {
  let seed = 0;
  const random = mapTensors(decoder(config).init(1), (x) => randn(x.shape, { seed: (seed += 1) }));
  const params = { attention: random.layers[0]!.attention };
  const read = (form: { split: boolean }) =>
    readStored(ggufLatentProjections({ split: true })(config), fileWeights(weightFile(form, params)));
  expect(weightFile({ split: true }, params).shape("attn_k_b.weight")).toEqual([3, 6, 4]);
  expect(weightFile({ split: true }, params).shape("attn_v_b.weight")).toEqual([3, 7, 6]);
  expect(weightFile({ split: false }, params).shape("attn_kv_b.weight")).toEqual([33, 6]);
  expect(numbers(await read({ split: true }))).toEqual(numbers(params));
  expect(numbers(await read({ split: false }))).toEqual(numbers(params));
});

test("lengths of the latents beside those of heads, and those of heads alone as in older files", () => {
  const read = (fields: object) =>
    ggufLatentHeads({ split: true }).read(configFields(fields, { name: "metadata", fn: "load" }), config);
  const [apart, together] = [true, false].map((split) => ({
    ...ggufLatentHeads({ split }).write(config),
    "rope.dimension_count": 2,
  }));
  expect(apart).toMatchObject({ "attention.key_length": 8, "attention.key_length_mla": 6 });
  expect(together).toMatchObject({ "attention.key_length": 6, "attention.head_count_kv": 3 });
  expect(read(apart!)).toEqual({ numKvHeads: 3, latent: config.latent });
  expect(read(together!)).toEqual({ numKvHeads: 3, latent: config.latent });
  expect(() => read({ ...apart, "attention.key_length": 9 })).toThrow(
    /attention\.key_length` is 9, expected 8, or nothing/,
  );
  expect(() => read({ ...together, "attention.key_length": 2 })).toThrow(
    /rope\.dimension_count` is 2, expected below 2/,
  );
});

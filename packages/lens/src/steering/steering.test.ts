import { randn, relu, slice, sub, tensor, zeros, type Tensor } from "@qkv/tensor";
import { readSafetensors, writeSafetensors } from "@qkv/tensor/safetensors";
import { randomDecoder } from "@qkv/test-support/random-decoder";
import "@qkv/test-support/allclose";
import { expect, test } from "vitest";
import { runWithTrace } from "../run-with-trace.js";
import { sparseAutoencoder } from "./sparse-autoencoder.js";
import { steer, steeringVector } from "./steering.js";

const model = randomDecoder("llama", { vocabSize: 13 } as never);
const ids = [3, 1, 4];
const name = "layers.0.output";
const C = model.config.embedDim;
const runLogits = (hooks = {}) => runWithTrace(model, ids, { names: [], hooks }).logits;

test("a steering vector is the difference of last rows, and adding it to one text's last row gives the other's", () => {
  const other = [3, 1, 9];
  const vector = steeringVector(model, { positive: [other], negative: [ids], name });
  const lastRow = (text: number[]) => slice(runWithTrace(model, text).tensors[name]!, 1, 2, 3);
  expect(vector.data).toBeAllclose(sub(lastRow(other), lastRow(ids)).data, { rtol: 0, atol: 1e-6 });
  const hooks = steer({ name, vector });
  const { tensors } = runWithTrace(model, ids, { hooks });
  expect(slice(tensors[name]!, 1, 2, 3).data).toBeAllclose(lastRow(other).data, { rtol: 0, atol: 1e-5 });
  expect(runLogits(steer({ name, vector, scale: 0 })).data).toEqual(runLogits().data);
});

test("a steering vector is a mean over texts", () => {
  const [a, b] = [
    steeringVector(model, { positive: [ids], negative: [[1]], name }),
    steeringVector(model, { positive: [[7, 2]], negative: [[1]], name }),
  ];
  const both = steeringVector(model, { positive: [ids, [7, 2]], negative: [[1]], name });
  const half = Array.from(a.data, (x, i) => (x + b.data[i]!) / 2);
  expect(both.data).toBeAllclose(half, { rtol: 0, atol: 1e-6 });
});

const F = 2 * C;
const saved: Record<string, Tensor> = {
  W_enc: randn([C, F], { seed: 1 }),
  b_enc: randn([F], { seed: 2 }),
  W_dec: randn([F, C], { seed: 3 }),
  b_dec: randn([C], { seed: 4 }),
};

test("an autoencoder of a safetensors file encodes and decodes as computed by hand", async () => {
  const { tensors: read } = await readSafetensors(await writeSafetensors(saved));
  const sae = sparseAutoencoder(read);
  expect([sae.embedDim, sae.numFeatures]).toEqual([C, F]);
  const x = randn([1, 1, C], { seed: 5 });
  const features = sae.encode(x).data;
  const [w, b] = [saved["W_enc"]!.data, saved["b_enc"]!.data];
  for (const f of [0, 7, F - 1]) {
    const before = Array.from(x.data, Number).reduce((sum, value, c) => sum + value * w[c * F + f]!, b[f]!);
    expect(features[f]).toBeCloseTo(Math.max(0, before), 4);
  }
  const one = tensor(
    Array.from({ length: F }, (_, f) => Number(f === 3)),
    { shape: [1, 1, F] },
  );
  expect(sub(sae.decode(one), saved["b_dec"]!).data).toBeAllclose(sae.direction(3).data, {
    rtol: 0,
    atol: 1e-5,
  });
});

test("topK keeps the k largest features, jumprelu those above their threshold; the names of sparsify are read", () => {
  const x = randn([2, 3, C], { seed: 6 });
  const plain = sparseAutoencoder(saved).encode(x);
  const top = sparseAutoencoder(saved, { activation: { topK: 4 } }).encode(x).data;
  for (let row = 0; row < 6; row++) {
    const largest = Array.from(plain.data.slice(row * F, row * F + F))
      .sort((a, b) => b - a)
      .slice(0, 4);
    expect(
      Array.from(top.slice(row * F, row * F + F))
        .filter((one) => one > 0)
        .sort((a, b) => b - a),
    ).toEqual(largest);
  }
  const jump = sparseAutoencoder({ ...saved, threshold: tensor(Array<number>(F).fill(3)) }).encode(x).data;
  expect(Array.from(jump)).toEqual(Array.from(plain.data, (one) => (one > 3 ? one : 0)));
  const { W_enc, b_enc, ...decoder } = saved;
  const transposed = tensor(
    Array.from({ length: F * C }, (_, i) => W_enc!.data[(i % C) * F + Math.floor(i / C)]!),
    { shape: [F, C] },
  );
  const other = sparseAutoencoder({ ...decoder, "encoder.weight": transposed, "encoder.bias": b_enc! });
  expect(other.encode(x).data).toBeAllclose(plain.data, { rtol: 0, atol: 1e-4 });
  const shifted = sparseAutoencoder(saved, { subtractDecoderBias: true }).encode(x);
  expect(shifted.data).toBeAllclose(sparseAutoencoder(saved).encode(sub(x, saved["b_dec"]!)).data, {
    rtol: 0,
    atol: 1e-5,
  });
});

test("an autoencoder without a change leaves the logits unchanged; a feature set to 0 changes them", () => {
  const sae = sparseAutoencoder(saved);
  expect(runLogits(sae.hooks(name)).data).toEqual(runLogits().data);
  const off = runLogits(sae.hooks(name, (features) => relu(sub(features, 100))));
  expect(off.data).not.toEqual(runLogits().data);
});

test("tensors that are missing or do not fit are refused", () => {
  expect(() => sparseAutoencoder({ W_dec: saved["W_dec"]! })).toThrow(
    /sparseAutoencoder: .*a tensor encoder\.weight/,
  );
  expect(() => sparseAutoencoder({ ...saved, b_dec: zeros([F]) })).toThrow(
    /`tensors\.b_dec` has shape|tensors\.b_dec/,
  );
  expect(() => sparseAutoencoder(saved, { activation: "gelu" as never })).toThrow(/`activation` is "gelu"/);
  expect(() => steeringVector(model, { positive: [], negative: [ids], name })).toThrow(/`positive` is/);
  expect(() => steer({ name, vector: 1 as never })).toThrow(/steer: `vector`/);
});

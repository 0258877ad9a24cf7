// Dropout and adapters on `wasm`, compared with the plain device.
import { alibi, attention, causal, scoreMod, slidingWindow } from "@qkv/attention";
import {
  broadcastTo,
  eye,
  grad,
  js,
  mapTensors,
  mul,
  randn,
  sum,
  tensorsOf,
  type Device,
  type Tensor,
} from "@qkv/tensor";
import { adamW } from "@qkv/tensor/optimizers";
import { decoder, load, quantize, type DecoderConfig, type DecoderParams } from "@qkv/transformer";
import { lora } from "@qkv/transformer/adapters";
import { exportModel, memoryFolder } from "@qkv/transformer/export";
import {
  nextTokenBatches,
  readCheckpoint,
  tokenLoss,
  train,
  writeCheckpoint,
} from "@qkv/transformer/training";
import { wasm } from "@qkv/wasm";
import "@qkv/test-support/allclose";
import fc from "fast-check";
import { expect, test } from "vitest";
import { casesByTier, runs } from "../../scripts/tier.mjs";

const config: DecoderConfig = {
  ...{ vocabSize: 13, embedDim: 8, hiddenDim: 12, numLayers: 3, numHeads: 2, numKvHeads: 1 },
  ...{ contextLength: 32, normEps: 1e-5, stopIds: [] },
  dropout: { attention: 0.3, residual: 0.2, embedding: 0.1, layer: 0.2 },
};
const model = decoder(config);
const ids = [3, 1, 4, 1, 5, 9, 2, 6];
const text = Array.from({ length: 90 }, (_, i) => (i * i) % 13);
const squared = scoreMod((weight) => weight.mul(weight));
const near = { rtol: 1e-5, atol: 1e-5 };
const on = (device: Device): DecoderParams => mapTensors(model.init(1), (x) => x.to(device));
const numbers = (params: unknown) => tensorsOf(params).map(({ data }) => data);

test.each([1, 2])(
  "on %d threads the same numbers are dropped, and a continued run is the same bit for bit",
  async (threads) => {
    const device = await wasm({ threads });
    const logits = (device: Device) => model.apply(on(device), ids, { dropoutSeed: 2 }).data;
    expect(logits(device)).toBeAllclose(logits(js()), near);
    const settings = {
      loss: tokenLoss(model, { dropoutSeed: 11 }),
      optimizer: adamW({ learningRate: 0.01 }),
      batchAt: nextTokenBatches(text, { batchSize: 2, contextLength: 6, seed: 1, device }),
      accumulate: 2,
    };
    const params = on(device);
    for await (const { step } of train({ ...settings, params, steps: 4 })) void step;
    let bytes = new Uint8Array();
    for await (const { params, state } of train({ ...settings, params: on(device), steps: 2 }))
      bytes = (await writeCheckpoint({ params, state, notes: null })) as typeof bytes;
    const { notes: _, ...again } = await readCheckpoint<DecoderParams>(bytes, { device });
    for await (const { step } of train({ ...settings, ...again, steps: 4 })) void step;
    expect(numbers(again.params)).toEqual(numbers(params));
  },
);

test.each([undefined, "int8", "int4"] as const)(
  "an adapter of a base of %s learns on both devices alike",
  async (kind) => {
    const losses = async (device: Device) => {
      const plain = decoder({ ...config, dropout: {} });
      const base = { config: plain.config, params: on(device), tokenizer: undefined, apply: plain.apply };
      const tuned = lora(kind ? quantize(base, { kind }).model : base, {
        ...{ r: 2, lora_alpha: 8, target_modules: "all-linear", lora_dropout: 0.1 },
      });
      const seen: number[] = [];
      const run = train({
        params: tuned.init(3),
        loss: tokenLoss(tuned, { dropoutSeed: 4 }),
        optimizer: adamW({ learningRate: 0.01 }),
        batchAt: nextTokenBatches(text, { batchSize: 2, contextLength: 6, seed: 1, device }),
        steps: 5,
      });
      for await (const { loss } of run) seen.push(loss);
      return seen;
    };
    expect(await losses(await wasm())).toBeAllclose(await losses(js()), { rtol: 1e-4, atol: 1e-4 });
  },
);

test("a 16-bit base stays 16-bit with a DoRA adapter", async () => {
  const device = await wasm();
  const out = memoryFolder();
  await exportModel({ config, params: model.init(1) }, { to: "hf", out, dtype: "bfloat16" });
  const base = await load(out.files, { device });
  const tuned = lora(base, { r: 2, target_modules: ["q_proj"], use_dora: true });
  const adapter = mapTensors(tuned.init(1), (x) => randn(x.shape, { seed: 2 }).to(device));
  expect(base.params.layers[0]!.attention.query.weight.dtype).toBe("bfloat16");
  const whole = tuned.merge(adapter);
  expect(whole.apply(whole.params, ids).data).toBeAllclose(tuned.apply(adapter, ids).data, near);
});

test.each(casesByTier(["plain", "relaxed"] as const, (build) => build === "relaxed"))(
  "property: the weights that the plain device drops are dropped by build %s, at any position, and squares are of the same weights",
  async (build) => {
    const device = await wasm({ build });
    const options = [{}, { mask: causal() }, { mask: slidingWindow(20), scoreMod: alibi(2) }];
    const rate = fc.double({ min: 0, max: 0.9, noNaN: true });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 150 }),
        fc.integer({ min: 0, max: 80 }),
        fc.constantFrom(...options),
        rate,
        fc.maxSafeInteger(),
        fc.boolean(),
        (queries, before, options, rate, seed, hasSinks) => {
          const keys = before + queries;
          // With unit vectors as values, the output is the attention weights.
          const run = (on: Device, changed: Record<string, unknown>) => {
            const [query, key] = [
              randn([2, 2, queries, 4], { seed: 1 }),
              randn([2, 1, keys, 4], { seed: 2 }),
            ];
            const value = broadcastTo(eye(keys), [2, 1, keys, keys]);
            const sinks = hasSinks && { sinks: randn([2], { seed: 3 }).to(on) };
            return attention(query.to(on), key.to(on), value.to(on), { ...options, ...sinks, ...changed })
              .data;
          };
          for (const changed of [{ dropout: { rate, seed } }, { weightMod: squared }]) {
            const [own, plain] = [run(device, changed), run(js(), changed)];
            expect(own.map((weight) => Number(weight !== 0))).toEqual(
              plain.map((weight) => Number(weight !== 0)),
            );
            expect(own).toBeAllclose(plain, near);
          }
        },
      ),
      { numRuns: runs(20) },
    );
    expect(device.report().calls["attention"]).toMatchObject({ plain: 0 });
  },
);

test("gradients through dropout and through squared weights equal the plain device's", async () => {
  const device = await wasm();
  for (const options of [{ dropout: { rate: 0.3, seed: 5 } }, { weightMod: squared }]) {
    const gradient = grad(({ query, key, value }: Record<"query" | "key" | "value", Tensor>) => {
      const y = attention(query, key, value, { mask: causal(), ...options });
      return sum(mul(y, y));
    });
    // Rows with a large log-sum-exp are computed by another formula.
    for (const size of [1, 12]) {
      const input = (on: Device, seed: number, factor = 1) =>
        mul(randn([2, 2, 100, 8], { seed }), factor).to(on);
      const inputs = (on: Device) => ({ query: input(on, 1, size), key: input(on, 2), value: input(on, 3) });
      const [ours, plain] = [gradient(inputs(device)), gradient(inputs(js()))];
      for (const name of ["query", "key", "value"] as const)
        expect(ours[name].data).toBeAllclose(plain[name].data, { rtol: 1e-4, atol: 1e-4 });
    }
  }
  expect(device.report().calls["attentionBackward"]).toMatchObject({ plain: 0 });
});

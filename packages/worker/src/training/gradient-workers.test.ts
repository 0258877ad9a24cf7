/// <reference types="node" />
import { ArgumentError, DeviceError } from "@qkv/core";
import { mapTensors, tensor, tensorsOf, zeros } from "@qkv/tensor";
import { adamW } from "@qkv/tensor/optimizers";
import { decoder } from "@qkv/transformer";
import { nextTokenBatches, tokenLoss, train, type Batch } from "@qkv/transformer/training";
import { wasm } from "@qkv/wasm";
import fc from "fast-check";
import { MessageChannel, type MessagePort } from "node:worker_threads";
import { afterEach, expect, test } from "vitest";
import { gradientWorkers } from "./gradient-workers.js";
import { serveGradients, type GradientTask } from "./serve-gradients.js";

// Both ends in one thread: what is tested is what they send each other. Threads: tests/worker.test.ts.
const open: MessagePort[] = [];
afterEach(() => {
  for (const port of open.splice(0)) port.close();
});

const config = {
  ...{ vocabSize: 13, embedDim: 8, hiddenDim: 16, numLayers: 2, numHeads: 2, numKvHeads: 1 },
  ...{ contextLength: 16, normEps: 1e-5, stopIds: [] },
};
const model = decoder(config);
type Params = ReturnType<typeof model.init>;
const text = Array.from({ length: 200 }, (_, i) => (i * i + (i >> 2)) % 13);
const batchAt = nextTokenBatches(text, { batchSize: 2, contextLength: 8, seed: 1 });
const common = { optimizer: adamW({ learningRate: 0.01 }), maxNorm: 1, accumulate: 4, steps: 5, batchAt };

function worker(task: GradientTask<Params, Batch> | (() => never) = { loss: tokenLoss(model) }): MessagePort {
  const { port1, port2 } = new MessageChannel();
  open.push(port1, port2);
  serveGradients<Params, Batch>(() => (typeof task === "function" ? task() : task), { port: port2 as never });
  return port1;
}

async function readLosses(run: AsyncIterable<{ loss: number }>): Promise<number[]> {
  const losses: number[] = [];
  for await (const { loss } of run) losses.push(loss);
  return losses;
}

test("a run with any number of workers equals a run without workers, bit for bit", async () => {
  const here = model.init(1);
  const losses = await readLosses(train({ ...common, params: here, loss: tokenLoss(model) }));
  for (const count of [1, 2, 3]) {
    await using workers = gradientWorkers<Params, Batch>({ worker: () => worker() as never, count });
    const params = model.init(1);
    expect(await readLosses(train({ ...common, params, loss: workers }))).toEqual(losses);
    tensorsOf(here).forEach((x, i) => expect(tensorsOf(params)[i]!.data).toEqual(x.data));
  }
});

test("property: with dropout and batches of different numbers of targets, losses do not depend on the number of workers", async () => {
  const rate = fc.constantFrom(0, 0.1, 0.4);
  const rates = fc.record({ attention: rate, residual: rate, embedding: rate, layer: rate });
  const kept = fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 2, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(rates, kept, fc.nat(1000), async (dropout, counts, dropoutSeed) => {
      const loss = tokenLoss(decoder({ ...config, dropout }), { dropoutSeed });
      const unequal = (n: number): Batch => {
        const { ids, targets } = batchAt(n);
        const kept = counts[n % counts.length]!;
        const values = targets.data.map((target, i) => (i % 8 < kept ? target : -100));
        return { ids, targets: tensor(values, { shape: targets.shape, dtype: "int32" }) };
      };
      const options = { ...common, batchAt: unequal, accumulate: counts.length, steps: 2 };
      const here = model.init(1);
      const losses = await readLosses(train({ ...options, params: here, loss }));
      for (const count of [1, 2, 3]) {
        await using workers = gradientWorkers<Params, Batch>({
          worker: () => worker({ loss }) as never,
          count,
        });
        const params = model.init(1);
        expect(await readLosses(train({ ...options, params, loss: workers }))).toEqual(losses);
        tensorsOf(here).forEach((x, i) => expect(tensorsOf(params)[i]!.data).toEqual(x.data));
      }
    }),
    { numRuns: 8 },
  );
});

test("gradients without a batch number have no dropout", async () => {
  const rates = { attention: 0.4, residual: 0.4, embedding: 0.4 };
  const loss = tokenLoss(decoder({ ...config, dropout: rates }), { dropoutSeed: 1 });
  await using workers = gradientWorkers<Params, Batch>({ worker: () => worker({ loss }) as never, count: 1 });
  const params = model.init(1);
  const lossAt = async (first?: number) =>
    (await workers.gradients(params, [batchAt(0)], first))[0]![0].data[0];
  expect(await lossAt()).toBe(tokenLoss(model)(params, batchAt(0)).data[0]);
  expect(await lossAt(3)).not.toBe(await lossAt());
});

test("workers on another device give the gradients of that device", async () => {
  const device = await wasm();
  const fresh = () => mapTensors(model.init(1), (x) => x.to(device));
  const [here, there] = [fresh(), fresh()];
  const batchAt = nextTokenBatches(text, { batchSize: 2, contextLength: 8, seed: 1, device });
  const losses = await readLosses(train({ ...common, batchAt, params: here, loss: tokenLoss(model) }));
  const own = await wasm();
  await using workers = gradientWorkers<Params, Batch>({
    worker: () => worker({ loss: tokenLoss(model), device: own }) as never,
  });
  expect(await readLosses(train({ ...common, batchAt, params: there, loss: workers }))).toEqual(losses);
  tensorsOf(here).forEach((x, i) => expect(tensorsOf(there)[i]!.data).toEqual(x.data));
});

test("an error of the loss keeps its class, and params that are not float32 are refused", async () => {
  const refuses = () => {
    throw new ArgumentError({ fn: "f", argument: "a", received: 1, expected: "2", fix: "give 2." });
  };
  const first = gradientWorkers<Params, Batch>({ worker: () => worker(refuses) as never, count: 1 });
  await expect(first.gradients(model.init(1), [batchAt(0)])).rejects.toThrow(ArgumentError);
  const halves = gradientWorkers<object, Batch>({ worker: () => worker() as never, count: 1 });
  await expect(halves.gradients({ w: zeros([1], { dtype: "float64" }) }, [batchAt(0)])).rejects.toThrow(
    /`params` is "a tensor of float64", expected float32 tensors/,
  );
});

test("errors name a worker that ended, and a worker that was closed", async () => {
  const port = worker();
  const workers = gradientWorkers<Params, Batch>({ worker: () => port as never, count: 1 });
  await workers.gradients(model.init(1), [batchAt(0)]);
  port.close();
  await expect(workers.gradients(model.init(1), [batchAt(0)])).rejects.toThrow(DeviceError);
  const closed = gradientWorkers<Params, Batch>({ worker: () => worker() as never, count: 1 });
  await closed.close();
  await expect(closed.gradients(model.init(1), [batchAt(0)])).rejects.toThrow(
    /`worker` is "one that was closed", expected a worker that answers/,
  );
});

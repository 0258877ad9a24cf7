// Device memory that runs out at each allocation in turn, and workers that terminate: a DeviceError is thrown, and nothing
// else changes.
import assert from "node:assert/strict";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import workerThreads from "node:worker_threads";
import { mapTensors, matmul, randn, tensor } from "../../packages/tensor/dist/index.js";
import { adamW } from "../../packages/tensor/dist/optimizers.js";
import { nextTokenBatches, tokenLoss, trainStep } from "../../packages/transformer/dist/training.js";
import { wasm } from "../../packages/wasm/dist/index.js";
import { assertOurs, numbersOf, thrown } from "./thrown.mjs";
import { cacheKinds, ids, model } from "./worlds.mjs";

const maxBytes = 4 * 2 ** 20;
setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc");

/** Allocates memory of the device until no free block is larger than `free` bytes. Garbage collection frees it. */
function fillMemory(device, free) {
  const fillers = [];
  for (let size = maxBytes / 2; size >= 4096; size /= 2) {
    while (maxBytes - 65536 - device.memory().bytes - free >= size) {
      try {
        fillers.push(tensor(new Uint8Array(size), { dtype: "uint8" }).to(device));
      } catch {
        break; // no free block is as large
      }
    }
  }
  return fillers;
}

/**
 * Calls `run` with `step` more bytes of free memory each time, until it succeeds. Each failure must be a DeviceError that
 * leaves no memory allocated; then `check` runs with all memory free.
 *
 * @param {(device: any) => { run: () => void, check: () => void }} prepare
 * @returns {Promise<number>} Number of times that memory ran out.
 */
async function runUntilMemorySuffices(prepare, step) {
  for (let times = 0, free = 0; free < maxBytes; free += step) {
    const device = await wasm({ threads: 1, maxBytes });
    const { run, check } = prepare(device);
    const before = device.memory().bytes;
    const fillers = fillMemory(device, free);
    try {
      run();
      return times;
    } catch (error) {
      assertOurs(error, "DeviceError");
    }
    times += 1;
    fillers.length = 0;
    for (let i = 0; i < 50 && device.memory().bytes > 1.5 * before; i++) {
      collect();
      await new Promise((resolve) => setTimeout(resolve));
    }
    check();
  }
  return assert.fail("it never had enough memory");
}

export const devices = {
  async "memory runs out in training: params and state are unchanged, and no memory stays allocated"() {
    const batch = nextTokenBatches(ids(100), { batchSize: 2, contextLength: 24, seed: 1 })(0);
    const times = await runUntilMemorySuffices((device) => {
      const params = mapTensors(model.init(1), (x) => x.to(device));
      const optimizer = adamW({ learningRate: 0.01 });
      const state = optimizer.init(params);
      const before = numbersOf([params, state.moments]);
      const on = mapTensors(batch, (x) => x.to(device));
      const { bytes } = device.memory();
      const step = trainStep({ loss: tokenLoss(model), optimizer, maxNorm: 1 });
      return {
        run: () => step(params, state, [on, on]),
        check() {
          assert.equal(numbersOf([params, state.moments]), before);
          assert.equal(state.step, 0);
          assert.ok(device.memory().bytes <= bytes, "the step's own memory is freed");
        },
      };
    }, 65536);
    assert.ok(times > 10, `${times} times`);
  },

  async "memory runs out while a model appends to a cache: all layers are unchanged, or the cache is empty"() {
    for (const [kind, emptyCache] of Object.entries(cacheKinds)) {
      const plain = model.init(2);
      const uninterrupted = emptyCache();
      model.apply(plain, ids(60), { cache: uninterrupted });
      const times = await runUntilMemorySuffices((device) => {
        const params = mapTensors(plain, (x) => x.to(device));
        const cache = emptyCache();
        model.apply(params, ids(20), { cache });
        return {
          run: () => model.apply(params, ids(40, 20), { cache }),
          check() {
            assert.ok(cache.length === 20 || cache.length === 0, `${kind}: ${cache.length}`);
            // With enough memory, generation continues as if nothing had failed.
            const resumed = emptyCache();
            if (cache.length > 0) resumed.restore(cache.save());
            model.apply(plain, ids(60).slice(resumed.length), { cache: resumed });
            const [a, b] = [resumed, uninterrupted].map((full) =>
              model.apply(plain, ids(1, 60), { cache: full.fork() }),
            );
            const maxDifference = Math.max(...a.data.map((x, i) => Math.abs(x - b.data[i])));
            assert.ok(maxDifference < (kind === "quantized" ? 0.05 : 1e-4), `${kind}: ${maxDifference}`);
          },
        };
      }, 65536);
      assert.ok(times > 2, `${kind}: ${times} times`);
    }
  },

  async "a worker terminates: the next call throws, and after a restart the results are the same"() {
    const { Worker } = workerThreads;
    const started = [];
    workerThreads.Worker = class extends Worker {
      constructor(...args) {
        super(...args);
        started.push(this);
      }
    };
    try {
      const device = await wasm({ threads: 2 });
      const x = randn([300, 300], { seed: 1 }).to(device);
      const expected = numbersOf(matmul(x, x));
      const [worker] = started;
      assert.ok(worker);
      await worker.terminate();
      await new Promise((resolve) => setTimeout(resolve));
      const { bytes } = device.memory();
      assertOurs(await thrown(() => matmul(x, x)), "DeviceError");
      assert.equal(device.memory().bytes, bytes);
      await device.restart();
      assert.equal(numbersOf(matmul(x, x)), expected);
      await device.close();
    } finally {
      workerThreads.Worker = Worker;
    }
  },
};

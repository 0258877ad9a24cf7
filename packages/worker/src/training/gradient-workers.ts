import { checks, sizeOf } from "@qkv/core";
import { mapTensors, tensor, tensorsOf, type Tensor } from "@qkv/tensor";
import type { GradientSource } from "@qkv/transformer/training";
import type { NodeWorker } from "../node-threads.js";
import type { GradientFunctions, SentGradient } from "./protocol.js";
import { toSentTree } from "./sent-tree.js";
import { Thread } from "./thread.js";

/** Options of workers that compute gradients. */
export type GradientWorkersOptions<Setup> = {
  /**
   * Starts a worker whose module calls `serveGradients`: `() => new Worker(new URL("./gradients.js", import.meta.url))`, with
   * `{ type: "module" }` in a page, and the `Worker` of `node:worker_threads` in Node.
   */
  worker(): Worker | NodeWorker | MessagePort;
  /** Number of workers. The result of a run does not depend on it. Default 2. */
  count?: number;
  /** An argument of `prepare` in each worker, such as the configuration of the model. It is copied. */
  setup?: Setup;
};

/** Workers that compute losses and gradients for `train`. */
export type GradientWorkers<P, B> = GradientSource<P, B> & {
  /** Ends the workers. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
};

/**
 * Starts workers for data-parallel training: with `train({ params, loss: workers, accumulate: 4, … })`, several threads compute the
 * batches of a step, and their gradients are added in the order of the batches. So the result is the same, bit for bit, for any
 * number of workers, also with dropout, whose seed depends on the batch. `accumulate` is the number of batches of a step; a multiple
 * of `count` keeps all workers busy.
 *
 * Params are sent before each step, through shared memory if `SharedArrayBuffer` is available (Node, and cross-origin isolated
 * pages). Gradients are transferred, not copied. Params must be float32.
 *
 * @throws {ArgumentError} If a param is not float32. {DeviceError} If a worker cannot be started, or ends. Errors of the loss in a
 *   worker, with their classes.
 * @see "Large Scale Distributed Deep Networks" (2012); "Accurate, Large Minibatch SGD" (2017), arXiv:1706.02677
 *
 * @example
 * ```ts
 * import { mul, sub, sum, tensor, type Tensor } from "@qkv/tensor";
 * import { sgd } from "@qkv/tensor/optimizers";
 * import { train } from "@qkv/transformer/training";
 * import { gradientWorkers, serveGradients } from "@qkv/worker/training";
 *
 * type Params = { w: Tensor };
 * // Both ends in one thread, so that the example is one module. Usually `worker: () => new Worker(…)`.
 * const { port1, port2 } = new MessageChannel();
 * serveGradients(() => ({ loss: ({ w }: Params, goal: number) => sum(mul(sub(w, goal), sub(w, goal))) }), { port: port2 });
 *
 * const workers = gradientWorkers<Params, number>({ worker: () => port1, count: 1 });
 * const params = { w: tensor([0]) };
 * const optimizer = sgd({ learningRate: 0.5 });
 * for await (const { loss } of train({ params, loss: workers, optimizer, batchAt: () => 4, steps: 1 })) loss; // => 16
 * params.w.toNested(); // => [4]
 * await workers.close();
 * port1.close();
 * ```
 */
export function gradientWorkers<P, B, Setup = unknown>(
  options: GradientWorkersOptions<Setup>,
): GradientWorkers<P, B> {
  const check = checks("gradientWorkers");
  const { worker, count = 2, setup } = check.options(options, ["worker", "count", "setup"]);
  check.type({ worker }, "function", "give a function that starts a worker: `() => new Worker(…)`.");
  check.whole({ count }, { min: 1, unit: "workers" });
  const threads = Array.from(
    { length: count },
    () => new Thread<GradientFunctions>("gradientWorkers", "serveGradients", worker()),
  );
  let layout: { values: Float32Array; isShared: boolean } | undefined;

  /** Sends the params to all workers: the first time with their shapes, then only the values. */
  async function sendParams(params: P): Promise<void> {
    const tensors = tensorsOf(params);
    const first = layout === undefined;
    layout ??= allocateValues(tensors);
    const { values, isShared } = layout;
    let offset = 0;
    for (const x of tensors) {
      values.set((await x.read()) as Float32Array, offset);
      offset += sizeOf(x.shape);
    }
    const tree = first && (await toSentTree(params, { values: false }));
    await Promise.all(
      threads.map((thread) =>
        first
          ? thread.call("prepare", setup, tree, values)
          : thread.call("update", isShared ? undefined : values),
      ),
    );
  }

  function allocateValues(tensors: readonly Tensor[]): { values: Float32Array; isShared: boolean } {
    const other = tensors.find(({ dtype }) => dtype !== "float32");
    if (other) {
      check.refuse({
        argument: "params",
        received: `a tensor of ${other.dtype}`,
        expected: "float32 tensors, whose gradients are sent",
        fix: "cast it, or hold what is not trained in the worker's `setup`.",
      });
    }
    const bytes = 4 * tensors.reduce((sum, x) => sum + sizeOf(x.shape), 0);
    const isShared = typeof SharedArrayBuffer !== "undefined";
    return {
      values: new Float32Array(isShared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes)),
      isShared,
    };
  }

  return {
    async gradients(params, batches, first) {
      await sendParams(params);
      const results: SentGradient[] = [];
      let next = 0;
      // A worker takes the next batch as soon as it has finished one.
      await Promise.all(
        threads.map(async (thread) => {
          while (next < batches.length) {
            const n = next++;
            const number = first === undefined ? undefined : first + n;
            results[n] = await thread.call("gradient", await toSentTree(batches[n]), number);
          }
        }),
      );
      const { device } = tensorsOf(params)[0]!;
      return results.map(({ loss, gradients, count }) => {
        let offset = 0;
        const nextGradient = ({ shape }: Tensor) => {
          const values = gradients.slice(offset, offset + sizeOf(shape));
          offset += values.length;
          return tensor(values, { shape, device });
        };
        return [tensor(loss, { device }), mapTensors(params, nextGradient), count] as const;
      });
    },
    close,
    [Symbol.asyncDispose]: close,
  };

  async function close(): Promise<void> {
    await Promise.all(threads.map((thread) => thread.close()));
  }
}

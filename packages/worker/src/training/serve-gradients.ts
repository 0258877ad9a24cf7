import { checks, sizeOf } from "@qkv/core";
import { js, reshape, tensor, tensorsOf, valueAndGrad, write, type Device, type Tensor } from "@qkv/tensor";
import type { BatchLoss } from "@qkv/transformer/training";
import { createBirpc } from "birpc";
import type { NodePort } from "../node-threads.js";
import { captureResult } from "../sent-error.js";
import type { GradientFunctions, SentGradient } from "./protocol.js";
import { fromSentTree } from "./sent-tree.js";
import { servedPort } from "./served-port.js";

/** The loss whose gradients a worker computes. */
export type GradientTask<P, B> = {
  /** Loss of a batch: a scalar, the mean over the batch. */
  loss: BatchLoss<P, B>;
  /** Device of this worker's params and batches. Default: the plain JavaScript device. */
  device?: Device;
};

export type ServeGradientsOptions = {
  /** The port of `gradientWorkers`. Default: the worker's own port. */
  port?: MessagePort | NodePort;
};

/**
 * Computes gradients in this worker for `gradientWorkers`.
 *
 * @param prepare - Returns the task. Its argument is the `setup` of `gradientWorkers`, such as a configuration.
 * @throws {ArgumentError} If this thread is not a worker, and no `port` is given.
 *
 * @example
 * ```ts
 * import { tokenLoss } from "@qkv/transformer/training";
 * import { decoder, type DecoderConfig } from "@qkv/transformer";
 * import { wasm } from "@qkv/wasm";
 * import { serveGradients } from "@qkv/worker/training";
 *
 * // gradients.ts, the module of the worker.
 * const prepare = async (config: DecoderConfig) => ({ loss: tokenLoss(decoder(config)), device: await wasm() });
 * serveGradients(prepare); // => throws ArgumentError: `port`
 * ```
 */
export function serveGradients<P, B, Setup = undefined>(
  prepare: (setup: Setup) => GradientTask<P, B> | Promise<GradientTask<P, B>>,
  options?: ServeGradientsOptions,
): void {
  const check = checks("serveGradients");
  const { port } = check.options(options, ["port"]);
  check.type({ prepare }, "function");
  const end = servedPort(check, port, "gradientWorkers");
  let task:
    { params: P; device: Device; loss: BatchLoss<P, B>; lossAndGradients: LossAndGradients } | undefined;
  /** Values of all params in shared memory. Undefined: they are sent with each update. */
  let shared: Float32Array | undefined;
  type LossAndGradients = (params: P, batch: B, number: number | undefined) => [loss: Tensor, gradients: P];
  const functions: GradientFunctions = {
    prepare: (setup, params, values) =>
      captureResult(async () => {
        const { loss, device = js() } = await prepare(setup as Setup);
        const lossAndGradients: LossAndGradients = valueAndGrad<P, [B, number | undefined]>(loss);
        task = { params: fromSentTree(params, device) as P, device, loss, lossAndGradients };
        shared = values.buffer instanceof ArrayBuffer ? undefined : values;
        overwrite(task.params, values, device);
      }),
    update: (values) => captureResult(() => overwrite(task!.params, values ?? shared!, task!.device)),
    gradient: (batch, number) =>
      captureResult(() => gradient(fromSentTree(batch, task!.device) as B, number)),
  };

  async function gradient(batch: B, number: number | undefined): Promise<SentGradient> {
    const [loss, gradient] = task!.lossAndGradients(task!.params, batch, number);
    const tensors = tensorsOf(gradient);
    const gradients = new Float32Array(tensors.reduce((sum, x) => sum + sizeOf(x.shape), 0));
    let offset = 0;
    for (const x of tensors) {
      gradients.set((await x.read()) as Float32Array, offset);
      offset += sizeOf(x.shape);
    }
    return { loss: (await loss.read())[0]!, gradients, count: task!.loss.count?.(batch) ?? 1 };
  }

  createBirpc<object, GradientFunctions, false>(functions, {
    post: (message) => end.post(message, gradientMemory(message)),
    on: (f) => end.listen(f),
    timeout: -1,
    proxify: false,
  });
}

/** Overwrites params in place. */
function overwrite(params: unknown, values: Float32Array, device: Device): void {
  let offset = 0;
  device.scope(() => {
    for (const x of tensorsOf(params)) {
      // A scalar has no axis to write along.
      const shape = x.shape.length === 0 ? [1] : x.shape;
      const update = tensor(values.slice(offset, offset + sizeOf(x.shape)), { shape, device });
      write(x.shape.length === 0 ? reshape(x, [1]) : x, 0, 0, update);
      offset += sizeOf(x.shape);
    }
  });
}

/** Buffers to transfer with a result: this thread loses access to them. */
function gradientMemory(message: unknown): Transferable[] {
  const { r: result } = message as { r?: { value?: Partial<SentGradient> } };
  const gradients = result?.value?.gradients;
  return gradients ? [gradients.buffer as ArrayBuffer] : [];
}

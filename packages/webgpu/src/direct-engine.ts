import { Buffers, usage, writeTo, type GpuBuffer } from "./buffers.js";
import type { Dispatch } from "./engine.js";
import { deviceError, lostText, type FailureKind } from "./failures.js";
import type { Opened } from "./open.js";
import { slotBytes } from "./params.js";
import { createBindGroup, describePipeline } from "./pipeline.js";

type Pipeline = { readonly pipeline: GPUComputePipeline; readonly layout: GPUBindGroupLayout };

/**
 * Submits each dispatch at once, for calls of few dispatches whose results are read immediately. A third of the code of
 * `Engine`, which records dispatches; one submission per dispatch. Failures are reported after the call that caused them: the
 * next read throws them.
 */
export class DirectEngine {
  readonly buffers: Buffers;
  readonly #device: GPUDevice;
  readonly #pipelines = new Map<string, Pipeline>();
  #settled: Promise<unknown> = Promise.resolve();
  #problem: { readonly op: string; readonly kind: FailureKind; readonly message: string } | undefined;
  /** Reason for which the device was lost; undefined while it works. */
  lost: string | undefined;
  closed = false;
  /** Largest number of FLOPs of a dispatch, if its work can be split: it limits the time of one. */
  maxDispatchFlops = Infinity;

  constructor(device: Opened["device"], idleBudget: number) {
    this.#device = device;
    this.buffers = new Buffers(
      device,
      idleBudget,
      (kind, message) => (this.#problem ??= { op: "device", kind, message }),
      () => undefined,
    );
    void device.lost.then((info) => {
      if (!this.closed) this.lost = lostText(info);
    });
  }

  /** Submits a dispatch. */
  record(dispatch: Dispatch): void {
    const { op, key, reads, writes, params, groups } = dispatch;
    this.#check(op);
    const [x, y, z] = groups;
    if (x * y * z === 0) return;
    const device = this.#device;
    const cached = this.#pipelines.get(key);
    device.pushErrorScope("validation");
    const { pipeline, layout } = cached ?? this.#compile(dispatch);
    const slot = device.createBuffer({ size: slotBytes, usage: usage.uniform | usage.copyTarget });
    device.queue.writeBuffer(slot, 0, params.words);
    this.#submit((encoder) => {
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, createBindGroup(device, layout, slot, [...reads, ...writes]), [0]);
      pass.dispatchWorkgroups(x, y, z);
      pass.end();
    });
    slot.destroy();
    const before = this.#settled;
    this.#settled = device.popErrorScope().then(
      (error) => {
        if (error) this.#problem ??= { op, kind: cached ? "validation" : "pipeline", message: error.message };
        return before;
      },
      () => before,
    );
  }

  /** Does nothing: every dispatch is submitted at once. */
  submit(): void {}

  /** Writes host numbers to a buffer, after all submitted work. */
  write(buffer: GpuBuffer, array: ArrayBufferView): void {
    writeTo(this.#device, buffer, array);
  }

  /** Reads the first `bytes` bytes of a buffer after all submitted work. */
  async read(op: string, { buffer }: GpuBuffer, bytes: number): Promise<ArrayBuffer> {
    this.#check(op);
    const size = Math.max(4, bytes);
    const staging = this.#device.createBuffer({ size, usage: usage.mapRead | usage.copyTarget });
    this.#submit((encoder) => encoder.copyBufferToBuffer(buffer, 0, staging, 0, size));
    try {
      await staging.mapAsync(1);
    } catch (error) {
      this.#check(op);
      throw deviceError(op, "lost", "a read that was given up", error);
    }
    await this.#throwProblem();
    const numbers = staging.getMappedRange().slice(0, bytes);
    staging.destroy();
    return numbers;
  }

  /** Waits for the submitted work, and throws its failures. */
  async finish(op: string): Promise<void> {
    this.#check(op);
    await this.#device.queue.onSubmittedWorkDone();
    await this.#throwProblem();
    this.#check(op);
  }

  close(): void {
    this.closed = true;
    this.#device.destroy();
  }

  /** Throws if the device was lost or closed. */
  #check(op: string): void {
    if (this.closed) throw deviceError(op, "closed", "closed");
    if (this.lost) throw deviceError(op, "lost", this.lost);
  }

  #compile(dispatch: Dispatch): Pipeline {
    const { layout, descriptor } = describePipeline(this.#device, dispatch, false);
    const compiled = { pipeline: this.#device.createComputePipeline(descriptor), layout };
    this.#pipelines.set(dispatch.key, compiled);
    return compiled;
  }

  #submit(encode: (encoder: GPUCommandEncoder) => void): void {
    const encoder = this.#device.createCommandEncoder();
    encode(encoder);
    this.#device.queue.submit([encoder.finish()]);
  }

  async #throwProblem(): Promise<void> {
    await this.#settled;
    const problem = this.#problem;
    this.#problem = undefined;
    if (problem) throw deviceError(problem.op, problem.kind, problem.message);
  }
}

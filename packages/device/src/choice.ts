import type { Device } from "@qkv/tensor";

/** One of the devices that were considered. */
export type Attempt = {
  /** As on a command line: `webgpu`, `wasm`, `js`. */
  readonly name: string;
  /**
   * `chosen`; `slower` than the chosen one; `refused` by its own checks, or because it is software; `pending`, since its
   * shaders were not ready in time; `skipped`, since nothing asked for it.
   */
  readonly outcome: "chosen" | "slower" | "refused" | "pending" | "skipped";
  /** A sentence. */
  readonly reason: string;
  /** Time of the work that devices are compared by, where it was measured. */
  readonly milliseconds?: number;
};

/** A choice among devices, and its reasons. */
export type Choice = {
  /** Name of the device that was chosen. */
  readonly name: string;
  /** The reason, in a sentence. */
  readonly why: string;
  /** Every device of the preferences, in their order. */
  readonly attempts: readonly Attempt[];
  /** The adapter of WebGPU, where there is one. */
  readonly adapter?: string;
  /** True if an earlier choice on this adapter was taken again, without measuring. */
  readonly remembered: boolean;
};

/** A device, the reasons for it, and a faster one that comes later. */
export type BestDevice = Device & {
  readonly choice: Choice;
  /**
   * The device that was not ready in time, as soon as its shaders are compiled, if it is faster than this one; else
   * undefined. Move parameters there with `tensor.to(device)`. Never rejects. Left out where all were ready.
   */
  readonly better?: Promise<BestDevice | undefined>;
  /** Ends its workers or destroys its memory on the GPU. The plain device has nothing to close. */
  close(): void | Promise<void>;
  /** `await using best = await device()` closes it at the end of the block. */
  [Symbol.asyncDispose](): Promise<void>;
};

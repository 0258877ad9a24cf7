import type { Device } from "@qkv/tensor";

/** One device that was considered, and the outcome. */
export type Attempt = {
  /** Name as in `prefer`: `webgpu`, `wasm,threads=4`, `js`. */
  readonly name: string;
  /**
   * `chosen`: this is the device returned. `slower`: it works, but the chosen one is faster. `refused`: it did not open,
   * failed its self-test, or is a software adapter. `pending`: its shaders were not compiled in time. `skipped`: another
   * device was chosen before this one was opened.
   */
  readonly outcome: "chosen" | "slower" | "refused" | "pending" | "skipped";
  /** Explanation of the outcome, in one sentence. */
  readonly reason: string;
  /** Measured time of the sample work. Unit: milliseconds. Absent if it was not measured. */
  readonly milliseconds?: number;
};

/** The chosen device, and the outcome for every other one. */
export type Choice = {
  /** Name of the chosen device. */
  readonly name: string;
  /** Explanation of the choice, in one sentence. */
  readonly why: string;
  /** Every device of `prefer`, in the same order. */
  readonly attempts: readonly Attempt[];
  /** Name of the WebGPU adapter. Absent without one. */
  readonly adapter?: string;
  /** True if the choice was read from `storage`, and nothing was measured. */
  readonly remembered: boolean;
};

/** The chosen device, the reasons for the choice, and possibly a faster device that is not ready yet. */
export type BestDevice = Device & {
  readonly choice: Choice;
  /**
   * A device that was not ready in time. The promise resolves when its shaders are compiled: to the device if it is faster
   * than this one, else to undefined. It never rejects. Move parameters with `tensor.to(device)`. Absent if all devices were
   * ready.
   */
  readonly better?: Promise<BestDevice | undefined>;
  /** Ends the workers of the device, or frees its memory on the GPU. A `js` device has nothing to close. */
  close(): void | Promise<void>;
  /** `await using best = await device()` closes it at the end of the block. */
  [Symbol.asyncDispose](): Promise<void>;
};

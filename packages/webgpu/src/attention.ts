import { callSizes, mapCall, type AttentionCall } from "@qkv/attention-contract";
import { checks, DeviceError, disposable, stridesOf } from "@qkv/core";
import { sizeOf, type TypedArray } from "@qkv/tensor";
import { attentionSample } from "./attention-sample.js";
import { compareNumbers } from "./compare-numbers.js";
import type { GpuBuffer } from "./buffers.js";
import type { ForwardContext } from "./context.js";
import { DirectEngine } from "./direct-engine.js";
import { isSupportedCall, withLayout, type TensorAccess } from "./kernels/attention/call-layout.js";
import { callTables } from "./kernels/attention/call-tables.js";
import { decode, isDecoding } from "./kernels/attention/decode.js";
import { contiguousRows } from "./kernels/attention/contiguous-rows.js";
import { Plans } from "./kernels/attention/plan-words.js";
import { recordForward } from "./kernels/attention/record-forward.js";
import { measureRate, maxDispatchFlopsAt, type RateWork } from "./measure-rate.js";
import { numbersCall, type GpuAttentionOptions, type ShapedNumbers } from "./numbers-call.js";
import { adapterFor, requestDevice } from "./open.js";
import { adapterOptions, checkAdapterOptions, type AdapterOptions } from "./options.js";
import type { ViewLayout } from "./store.js";

export type { AdapterOptions } from "./options.js";
export type { GpuAttentionOptions, ShapedNumbers } from "./numbers-call.js";

/** A GPU opened for attention alone. */
export type GpuAttention = {
  /**
   * Scaled dot-product attention of arrays on the host. It computes what `attention` of `@qkv/attention` does:
   * `softmax(softcap(scale · Q Kᵀ) + bias, under the mask) · V`. Tiles that are masked
   * completely are skipped. With up to 8 queries per head (decoding), the keys are split over workgroups.
   *
   * @param query - `[B, H, T, D]`, the last `T` of the `S` positions.
   * @param key - `[B, Hkv, S, D]`, `Hkv` a divisor of `H`.
   * @param value - `[B, Hkv, S, Dv]`
   * @returns `[B, H, T, Dv]`
   * @throws {ShapeError} If the shapes do not fit together.
   * @throws {ArgumentError} If an option does not exist, or a value has the wrong type.
   * @throws {DeviceError} If the GPU was lost or closed, or ran out of memory.
   */
  attention(
    query: ShapedNumbers,
    key: ShapedNumbers,
    value: ShapedNumbers,
    options?: GpuAttentionOptions,
  ): Promise<{ readonly data: Float32Array; readonly shape: readonly number[] }>;
  report(): {
    /** The adapter's name, as far as the engine tells it. */
    readonly adapter: string;
    /** True if the adapter is software on the CPU: its times say nothing about GPUs. */
    readonly software: boolean;
    /** Largest error in the self-test, relative to the largest number. */
    readonly selfTestError: number;
    /** Rate of attention, measured at opening, in FLOPs per second. Long calls are split into dispatches of about 200 ms at half this rate. */
    readonly flopsPerSecond: number;
  };
  /** Frees the GPU's memory. Later calls throw. */
  close(): void;
  /** `using gpu = await openAttention()` closes it at the end of the block. */
  [Symbol.dispose](): void;
};

/**
 * Opens the GPU for attention alone, from arrays to an array, without tensors and other operations. A page that computes
 * nothing else bundles less than 25 kB (gzip), including masks of `@qkv/attention`. For models, gradients and caches use
 * `webgpu()`, whose results stay on the GPU between operations.
 *
 * @throws {ArgumentError} As `webgpu()`.
 * @throws {DeviceError} As `webgpu()`.
 *
 * @example
 * ```ts no-run
 * import { openAttention } from "@qkv/webgpu/attention";
 *
 * const gpu = await openAttention();
 * const x = { data: new Float32Array(8 * 512 * 64), shape: [1, 8, 512, 64] }; // [B, H, T, D]
 * // A mask is a value of `@qkv/attention`: `{ mask: causal() }`.
 * const { data, shape } = await gpu.attention(x, x, x, { softcap: 50 });
 * shape; // [1, 8, 512, 64]
 * ```
 */
export async function openAttention(options?: AdapterOptions): Promise<GpuAttention> {
  const fn = "openAttention";
  const check = checks(fn);
  const checked = checkAdapterOptions(check, check.options(options, adapterOptions));
  const opened = await requestDevice(fn, await adapterFor(fn, checked));
  const engine = new DirectEngine(opened.device, checked.budgetBytes);
  const run = runner(engine);
  const { name: adapter, software } = opened.info;
  let [selfTestError, flopsPerSecond] = [NaN, NaN];
  try {
    const { calls, expected } = sampleCalls();
    const computed = Promise.all(calls.map((call) => run(call, (output) => output.read())));
    selfTestError = await compareNumbers(fn, adapter, computed, expected);
    flopsPerSecond = await measureRate(
      () => engine.finish(fn),
      squareCall((call) => run(call, () => undefined)),
    );
    engine.maxDispatchFlops = maxDispatchFlopsAt(flopsPerSecond);
  } catch (error) {
    engine.close();
    throw error;
  }
  const close = () => engine.close();
  return {
    async attention(query, key, value, options) {
      const call = numbersCall(query, key, value, options);
      try {
        const { B, H, T, Dv } = callSizes(call);
        return { data: await run(call, (output) => output.read()), shape: [B, H, T, Dv] };
      } catch (cause) {
        if (!engine.closed && !engine.lost) throw cause;
        throw new DeviceError({
          fn: "attention",
          argument: "device",
          received: engine.closed ? "closed" : engine.lost,
          expected: "a GPU that finishes its work",
          fix: "open it again: `await openAttention()`.",
          cause,
        });
      }
    },
    report: () => ({ adapter, software, selfTestError, flopsPerSecond }),
    close,
    ...disposable(close),
  };
}

/** Numbers on the host or of an output, and their buffer once a kernel has requested it. */
type HostStorage = {
  readonly dtype: "float32";
  readonly length: number;
  readonly data: TypedArray | undefined;
  buffer: GpuBuffer | undefined;
};

/** Output of a call. It must be read in the same turn of the event loop, or never. */
type Output = { read(): Promise<Float32Array> };

/** Runs calls. Their buffers are freed as soon as the work is submitted: the queue runs in order. */
function runner(engine: DirectEngine) {
  const fn = "attention";
  const { buffers } = engine;
  const plans = new Plans();
  const viewOf = (shape: readonly number[], data?: TypedArray): ViewLayout => {
    const storage: HostStorage = { dtype: "float32", length: sizeOf(shape), data, buffer: undefined };
    return { storage, dtype: "float32", shape, strides: stridesOf(shape), offset: 0 };
  };
  return <R>(arrays: AttentionCall<ShapedNumbers>, f: (output: Output) => R): R => {
    const allocated: GpuBuffer[] = [];
    /** @param more - Additional bytes after the numbers. */
    const bufferOf = ({ storage }: Pick<ViewLayout, "storage">, more = 0): GpuBuffer => {
      const stored = storage as HostStorage;
      if (stored.buffer) return stored.buffer;
      allocated.push((stored.buffer = buffers.allocate(fn, 4 * stored.length + more)));
      if (stored.data) engine.write(stored.buffer, stored.data);
      return stored.buffer;
    };
    const context: ForwardContext = { engine, store: { op: fn, read: bufferOf, write: bufferOf } };
    const tables = callTables(arrays);
    const access: TensorAccess<ViewLayout> = {
      plans,
      within: (_, f) => f(),
      rows: ([rows]) => rows as ViewLayout,
      storedRows: (context, params, name, x) => contiguousRows(context, params, name, x as ViewLayout),
      writeTables: (_, buffer) =>
        engine.write(buffer, Float32Array.from(tables.flatMap(({ data }) => Array.from(data)))),
    };
    try {
      const call = mapCall(arrays, ({ shape, data }) => viewOf(shape, data));
      if (!isSupportedCall(call)) refuseFunction();
      const { B, H, T, Dv } = callSizes(call);
      const outputs = { output: viewOf([B, H, T, Dv]), lse: viewOf([B, H, T]) };
      if (isDecoding(call)) decode(context, access, call, outputs);
      else
        withLayout(context, access, call, (layout) =>
          // lse is followed by the largest score and 1 / sum of each row.
          recordForward(context, call, layout, outputs, bufferOf(outputs.lse, 8 * B * H * T)),
        );
      const output = bufferOf(outputs.output);
      const bytes = 4 * B * H * T * Dv;
      return f({ read: async () => new Float32Array(await engine.read(fn, output, bytes)) });
    } finally {
      for (const buffer of allocated) buffers.free(buffer);
    }
  };
}

function refuseFunction(): never {
  return checks("attention").refuse({
    argument: "scoreMod",
    received: "a function of numbers (scoreModFunction)",
    expected: "arithmetic on symbols, which shaders can follow",
    fix: "write it with `scoreMod((score, at) => …)`.",
  });
}

/** Calls of the self-test, and the correct results. */
function sampleCalls() {
  const { headDim, queries, key, value, expected } = attentionSample();
  const shaped = (data: Float32Array) => ({ data, shape: [1, 1, data.length / headDim, headDim] });
  const calls = queries.map((query) => numbersCall(shaped(query), shaped(key), shaped(value), undefined));
  return { calls, expected };
}

/** Work for measuring the rate: as many queries as keys, eight heads of dimension 64. */
const squareCall =
  (run: (call: AttentionCall<ShapedNumbers>) => void): RateWork =>
  (length) => {
    const [heads, size] = [8, 64];
    const shape = [1, heads, length, size];
    const x = { data: new Float32Array(sizeOf(shape)), shape };
    const call = numbersCall(x, x, x, undefined);
    return { flops: 4 * heads * size * length ** 2, run: () => run(call) };
  };

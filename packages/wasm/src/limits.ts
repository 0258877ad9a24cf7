import { ArgumentError, checks, DeviceError } from "@qkv/core";
import { relaxedSimd, simd } from "wasm-feature-detect";
import { arithmeticModule, copyModule, readModule, type Arithmetic } from "./limit-module.js";

export type { Arithmetic };

/** A loop of which only one kind of work is measured. */
export type LimitLoop = {
  run(): void;
  /** Work of one run: floating-point operations (integer ones for `dot`), or bytes moved. */
  readonly work: number;
};

/**
 * A loop of multiplications and additions in registers only: the peak arithmetic rate of one thread on this machine, in
 * this engine.
 *
 * @param arithmetic - `mulAdd`: float32, two instructions, in every engine with SIMD. `fused`: float32, one instruction of
 *   relaxed SIMD. `dot`: sums of four products of bytes, one instruction of relaxed SIMD.
 * @returns The loop, or `undefined` if the engine does not support the instruction.
 * @throws {ArgumentError} If `arithmetic` is another value.
 * @throws {DeviceError} If WebAssembly or its SIMD is missing.
 *
 * @example
 * ```ts
 * import { arithmeticLoop, perSecond } from "@qkv/wasm/limits";
 *
 * const loop = await arithmeticLoop("mulAdd");
 * const flops = loop ? perSecond(loop) : 0; // some 10 billion and more
 * flops > 1e8; // => true
 * ```
 */
export async function arithmeticLoop(arithmetic: Arithmetic): Promise<LimitLoop | undefined> {
  const operations: Record<Arithmetic, number> = { mulAdd: 8, fused: 8, dot: 32 };
  if (!Object.hasOwn(operations, arithmetic)) {
    throw new ArgumentError({
      fn: "arithmeticLoop",
      argument: "arithmetic",
      received: arithmetic,
      expected: '"mulAdd", "fused" or "dot"',
      fix: "`mulAdd` runs in every engine with SIMD.",
    });
  }
  await checkSimd("arithmeticLoop");
  if (arithmetic !== "mulAdd" && !(await relaxedSimd())) return undefined;
  const times = 100_000;
  const run = await start(arithmeticModule(arithmetic), new WebAssembly.Memory({ initial: 0 }));
  return { run: () => void run(times), work: times * 12 * operations[arithmetic] };
}

/** The order in which {@link readLoop} reads. */
export type ReadOrder = {
  /** Parts of equal length that are read round-robin. Default 1. */
  streams?: number;
  /** Bytes that are read of one stream before the next one. A multiple of 128. Default 1024. */
  block?: number;
};

/**
 * A loop of reads only. Up to a few megabytes it measures a cache, beyond that the memory. The fastest order of reads differs
 * between processors, so the limit of a machine is the best of several orders.
 *
 * @param bytes - Read in one run. A multiple of 128, 128 or more. Default 128 MiB.
 * @param order - Default: one stream, from the first byte to the last. Otherwise `bytes` is a multiple of
 *   `streams * block`.
 * @throws {ArgumentError} If `bytes` or `order` is something else.
 * @throws {DeviceError} If WebAssembly or its SIMD is missing.
 *
 * @example
 * ```ts
 * import { perSecond, readLoop } from "@qkv/wasm/limits";
 *
 * const orders = [{}, { streams: 4, block: 1024 }];
 * const loops = await Promise.all(orders.map((order) => readLoop(2 ** 20, order)));
 * const bytesPerSecond = Math.max(...loops.map((loop) => perSecond(loop)));
 * bytesPerSecond > 1e7; // => true
 * ```
 */
export async function readLoop(bytes: number = 2 ** 27, order: ReadOrder = {}): Promise<LimitLoop> {
  const check = checks("readLoop");
  const { streams = 1, block = streams === 1 ? bytes : 1024 } = check.options(
    order,
    ["streams", "block"],
    "order",
  );
  checkBytes("readLoop", bytes);
  check.whole({ streams }, { min: 1 });
  const vectors = "a multiple of 128 bytes";
  check.each({ block }, (value) => Number.isInteger(value) && block > 0 && block % 128 === 0, vectors);
  const roundBytes = streams * block;
  check.each({ bytes }, () => bytes % roundBytes === 0, `a multiple of streams * block = ${roundBytes}`);
  await checkSimd("readLoop");
  const part = bytes / streams;
  const run = await start(readModule(), filledMemory(bytes));
  return { run: () => void run(0, part, part, streams, block), work: bytes };
}

/**
 * A loop of copies only: each run reads `bytes` and writes as many, which is what an elementwise operation does.
 *
 * @param bytes - Read in one run. A multiple of 128, 128 or more. Default 64 MiB.
 * @throws {ArgumentError} If `bytes` is something else.
 * @throws {DeviceError} If WebAssembly or its SIMD is missing.
 *
 * @example
 * ```ts
 * import { copyLoop } from "@qkv/wasm/limits";
 *
 * (await copyLoop(1024)).work; // => 2048
 * ```
 */
export async function copyLoop(bytes: number = 2 ** 26): Promise<LimitLoop> {
  checkBytes("copyLoop", bytes);
  await checkSimd("copyLoop");
  const run = await start(copyModule(), filledMemory(2 * bytes));
  return { run: () => void run(0, bytes, bytes), work: 2 * bytes };
}

/**
 * Work per second of a loop: that of its fastest run, because other load on the machine only slows it down.
 *
 * @param loop - Of this module, or any function with the amount of work that it does.
 * @param milliseconds - Time to measure. Default 100.
 */
export function perSecond(loop: LimitLoop, milliseconds = 100): number {
  const check = checks("perSecond");
  const { run, work } = check.options(loop, ["run", "work"], "loop");
  check.type({ run }, "function", "make one with `readLoop`, `copyLoop` or `arithmeticLoop`.");
  const start = performance.now();
  let best = Infinity;
  do {
    // Browser clocks have a resolution of up to 0.1 ms: several runs are timed together.
    const began = performance.now();
    let count = 0;
    let passed: number;
    do {
      run();
      count += 1;
      passed = performance.now() - began;
    } while (passed < 5);
    best = Math.min(best, passed / count);
  } while (performance.now() - start < milliseconds);
  return work / (best / 1000);
}

function checkBytes(fn: string, bytes: number): void {
  checks(fn).each(
    { bytes },
    () => Number.isInteger(bytes) && bytes >= 128 && bytes % 128 === 0 && bytes <= 2 ** 30,
    "a multiple of 128 from 128 to 2 ** 30",
    "2 ** 20 is a megabyte.",
  );
}

/** Memory with all pages written: pages never written share one page of zeros, which would stay in a cache. */
function filledMemory(bytes: number): WebAssembly.Memory {
  const memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / 65536) });
  new Float32Array(memory.buffer).fill(0.5);
  return memory;
}

async function start(bytes: Uint8Array<ArrayBuffer>, memory: WebAssembly.Memory) {
  const { instance } = await WebAssembly.instantiate(bytes, { env: { memory } });
  return instance.exports.run as (...numbers: number[]) => number;
}

async function checkSimd(fn: string): Promise<void> {
  if (typeof WebAssembly !== "undefined" && (await simd())) return;
  throw new DeviceError({
    fn,
    argument: "WebAssembly",
    received: "an engine without WebAssembly SIMD",
    expected: "Node 20 or newer, or a recent browser",
    fix: "measure a function of your own with `perSecond`.",
  });
}

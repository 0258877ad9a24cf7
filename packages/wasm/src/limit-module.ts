/** The instructions of an arithmetic loop: multiply and add, fused multiply-add, or the dot product of bytes. */
export type Arithmetic = "mulAdd" | "fused" | "dot";

type Bytes = readonly (number | Bytes)[];

/** Independent accumulators, enough to hide the latency of the instructions. */
const numAccumulators = 12;

const [i32, f32, v128] = [0x7f, 0x7d, 0x7b];
const [getLocal, setLocal, teeLocal] = [0x20, 0x21, 0x22];
const simd = (code: number): Bytes => [0xfd, unsigned(code)];
const [load, store, splat, extractLane] = [simd(0x00), simd(0x0b), simd(0x13), simd(0x1f)];
const [add, mul, addWords, fusedMulAdd, dotBytes] = [0xe4, 0xe6, 0xae, 0x105, 0x113].map(simd) as [
  Bytes,
  Bytes,
  Bytes,
  Bytes,
  Bytes,
];
const [i32Add, i32Sub, i32LessThan] = [0x6a, 0x6b, 0x49];
/** Alignment and offset operands of loads and stores, for the eight vectors of 128 bytes. */
const memoryOperands = Array.from({ length: 8 }, (_, i): Bytes => [4, unsigned(16 * i)]);
const advance = (local: number, bytes: number): Bytes => [
  [getLocal, local, 0x41, signed(bytes), i32Add, teeLocal, local],
];

/**
 * A WebAssembly module of one loop, encoded byte by byte so that no compiler changes it. Each of the `times` iterations of
 * `run(times)` executes the arithmetic on 12 vectors.
 */
export function arithmeticModule(arithmetic: Arithmetic): Uint8Array<ArrayBuffer> {
  // Local 0 counts down; then follow the accumulators, the factor and the addend.
  const [factor, addend] = [numAccumulators + 1, numAccumulators + 2];
  const accumulators = Array.from({ length: numAccumulators }, (_, i) => i + 1);
  const steps: Record<Arithmetic, (a: number) => Bytes> = {
    mulAdd: (a) => [getLocal, a, getLocal, factor, mul, getLocal, addend, add],
    fused: (a) => [getLocal, a, getLocal, factor, getLocal, addend, fusedMulAdd],
    dot: (a) => [getLocal, factor, getLocal, addend, getLocal, a, dotBytes],
  };
  const constant = (value: number, to: number): Bytes => [0x43, float(value), splat, setLocal, to];
  const body: Bytes = [
    ...accumulators.map((a) => constant(a, a)),
    constant(0.999, factor),
    constant(2 ** -7, addend),
    loop([
      ...accumulators.map((a) => [steps[arithmetic](a), setLocal, a]),
      [getLocal, 0, 0x41, 1, i32Sub, teeLocal, 0],
    ]),
    sumOfLocals(accumulators, arithmetic === "dot" ? addWords : add),
  ];
  return module(body, [i32], numAccumulators + 2);
}

/** A module that copies bytes `from` to `to` of `memory` to addresses that are `distance` bytes larger, 128 bytes per iteration. */
export function copyModule(): Uint8Array<ArrayBuffer> {
  const [from, to, distance] = [0, 1, 2];
  const body: Bytes = [
    loop([
      ...memoryOperands.map((operands) => [
        [getLocal, from, getLocal, distance, i32Add],
        [getLocal, from, load, operands, store, operands],
      ]),
      [advance(from, 128), getLocal, to, i32LessThan],
    ]),
    [0x43, float(0)],
  ];
  return module(body, Array<number>(3).fill(i32), 0);
}

/**
 * A module that sums numbers of `memory`: those of `streams` streams, `distance` bytes from each other, of which the first has bytes
 * `from` to `to`. It reads `block` bytes of each stream round-robin, 128 bytes per iteration.
 */
export function readModule(): Uint8Array<ArrayBuffer> {
  const [from, to, distance, streams, block] = [0, 1, 2, 3, 4];
  const [stream, at, end] = [5, 6, 7]; // counts down; the next byte of the stream; the end of its block
  const accumulators = memoryOperands.map((_, i) => end + 1 + i);
  const sum: Bytes = loop([
    ...accumulators.map((a, i) => [getLocal, a, getLocal, at, load, memoryOperands[i]!, add, setLocal, a]),
    [advance(at, 128), getLocal, end, i32LessThan],
  ]);
  const body: Bytes = [
    loop([
      [getLocal, from, setLocal, at, getLocal, streams, setLocal, stream],
      loop([
        [getLocal, at, getLocal, block, i32Add, setLocal, end],
        sum,
        [getLocal, end, getLocal, block, i32Sub, getLocal, distance, i32Add, setLocal, at],
        [getLocal, stream, 0x41, 1, i32Sub, teeLocal, stream],
      ]),
      [getLocal, from, getLocal, block, i32Add, teeLocal, from, getLocal, to, i32LessThan],
    ]),
    sumOfLocals(accumulators, add),
  ];
  return module(body, Array<number>(5).fill(i32), accumulators.length, 3);
}

/** A loop that repeats while its body leaves a number other than 0 on the stack. */
function loop(body: Bytes): Bytes {
  return [0x03, 0x40, body, 0x0d, 0, 0x0b];
}

function sumOfLocals(locals: readonly number[], add: Bytes): Bytes {
  return [...locals.map((local, i) => [getLocal, local, i === 0 ? [] : add]), extractLane, 0];
}

/** A module with one function `run` that returns a float and has i32 and v128 locals; its memory is imported. */
function module(
  body: Bytes,
  parameters: readonly number[],
  vectors: number,
  words = 0,
): Uint8Array<ArrayBuffer> {
  const code = [2, unsigned(words), i32, unsigned(vectors), v128, body, 0x0b];
  return Uint8Array.from(
    flat([
      [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      section(1, [1, 0x60, parameters.length, parameters, 1, f32]),
      section(2, [1, text("env"), text("memory"), 2, 0, 0]),
      section(3, [1, 0]),
      section(7, [1, text("run"), 0, 0]),
      section(10, [1, sized(code)]),
    ]),
  );
}

function section(id: number, content: Bytes): Bytes {
  return [id, sized(content)];
}

function sized(content: Bytes): Bytes {
  return [unsigned(flat(content).length), content];
}

function text(name: string): Bytes {
  return sized([...new TextEncoder().encode(name)]);
}

function flat(bytes: Bytes): number[] {
  return bytes.flatMap((part) => (typeof part === "number" ? [part] : flat(part)));
}

/** Unsigned LEB128: seven bits per byte, the lowest first; bit 7 is set if more bytes follow. */
function unsigned(value: number): Bytes {
  return value < 128 ? [value] : [(value & 127) | 128, unsigned(value >>> 7)];
}

function signed(value: number): Bytes {
  return value < 64 ? [value] : [(value & 127) | 128, signed(value >> 7)];
}

function float(value: number): Bytes {
  return [...new Uint8Array(new Float32Array([value]).buffer)];
}

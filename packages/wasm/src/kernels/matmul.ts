import { sizeOf, type HalfType, type View } from "@qkv/tensor";
import { addressOf, withCall, type Call } from "../call.js";
import type { Engine } from "../engine.js";
import type { ReadPatterns } from "../read-pattern.js";
import { addToRows } from "./elementwise.js";
import { largeProduct, type Product } from "./large-product.js";

/** Numbers of a matrix that one of several threads reads in an item of a row against a matrix, at most. */
const chunk = 65536;
/** Bytes of a matrix whose rows are summed apart, about, and most such parts. They do not depend on threads, as sums do on them. */
const part = 2 ** 20;
const mostParts = 16;
/** Products of fewer operations than this run on one thread: waking a second costs more. */
const small = 2 ** 21;

/** c = a · b over a batch, with any strides. One row against a matrix streams the matrix past. */
export function matmulKernel(engine: Engine, patterns: ReadPatterns) {
  return (inputs: readonly View[], outputs: readonly View[]): boolean => {
    const [a, b] = inputs as [View, View];
    if (a.dtype !== "float32") return false;
    const product = describe(a, b, outputs[0]!);
    const { M, N, K, count, bRow, bColumn, aColumn } = product;
    if (M * N * K * count === 0) return false;
    return withCall(engine, (call) => {
      const [pa, pb, pc] = call.addresses(inputs, outputs) as [number, number, number];
      if (M === 1 && aColumn === 1 && (bRow === 1 || bColumn === 1)) {
        return each(product, (left, right, n) =>
          bRow === 1
            ? rowTimesColumns(engine, patterns, pa + left, pb + right, bColumn, pc + 4 * n * N, N, K, 0)
            : rowTimesRows(engine, patterns, call, pa + left, pb + right, bRow, pc + 4 * n * N, N, K),
        );
      }
      return rowsTimesMatrix(engine, call, product, pa, pb, pc);
    });
  };
}

/**
 * y = x · Wᵀ + b, the weight as it is stored: one row streams it past and adds the bias on the way. Numbers of 16 bits are
 * widened as they are read.
 */
export function linearKernel(engine: Engine, patterns: ReadPatterns) {
  return (inputs: readonly View[], outputs: readonly View[]): boolean => {
    const x = inputs[0]!;
    const weight = inputs[1]!;
    const bias = inputs[2];
    if (x.dtype !== "float32") return false;
    const half = halfTypeOf(weight);
    const N = weight.shape[0]!;
    const K = weight.shape[1]!;
    const down = weight.strides[0]!;
    const across = weight.strides[1]!;
    if (N * sizeOf(x.shape) === 0) return false;
    const ran = rowInMemory(engine, patterns, inputs, outputs[0]!);
    if (ran !== undefined) return ran;
    const M = sizeOf(x.shape) / K;
    // Rows of two axes may lie anyhow; of more they are packed.
    const strided = x.shape.length === 2;
    const aRow = strided ? x.strides[0]! : K;
    const aColumn = strided ? x.strides[1]! : 1;
    return withCall(engine, (call) => {
      const pointers = call.addresses(inputs, outputs);
      const from = pointers[0]!;
      const matrix = pointers[1]!;
      const to = pointers[inputs.length]!;
      if (M === 1 && aColumn === 1 && across === 1 && (!bias || bias.strides[0] === 1)) {
        return rowTimesColumns(engine, patterns, from, matrix, down, to, N, K, bias ? pointers[2]! : 0, half);
      }
      const product = {
        M,
        N,
        K,
        aRow,
        aColumn,
        bRow: across,
        bColumn: down,
        count: 1,
        batch: [],
        a: x,
        b: weight,
        ...(half && { half }),
      };
      if (!rowsTimesMatrix(engine, call, product, from, matrix, to)) return false;
      return !bias || addToRows(engine, call, to, [M, N], bias, pointers[2]!);
    });
  };
}

/** One row beside a weight, all in the device's memory: nothing is made for the call. Undefined for others. */
function rowInMemory(
  engine: Engine,
  patterns: ReadPatterns,
  inputs: readonly View[],
  output: View,
): boolean | undefined {
  const x = inputs[0]!;
  const weight = inputs[1]!;
  const bias = inputs[2];
  const K = weight.shape[1]!;
  if (sizeOf(x.shape) !== K || weight.strides[1] !== 1 || (bias && bias.strides[0] !== 1)) return undefined;
  if (x.shape.length === 2 && x.strides[1] !== 1) return undefined;
  const from = addressOf(x);
  const matrix = addressOf(weight);
  const to = addressOf(output);
  const added = bias ? addressOf(bias) : 0;
  if (from === undefined || matrix === undefined || to === undefined || added === undefined) return undefined;
  const N = weight.shape[0]!;
  const down = weight.strides[0]!;
  return rowTimesColumns(engine, patterns, from, matrix, down, to, N, K, added, halfTypeOf(weight));
}

const halfTypeOf = ({ dtype }: View): HalfType | undefined =>
  dtype === "bfloat16" || dtype === "float16" ? dtype : undefined;

function rowsTimesMatrix(
  engine: Engine,
  call: Call,
  product: Product,
  pa: number,
  pb: number,
  pc: number,
): boolean {
  const { M, N, K, count } = product;
  const wide = 2 * M * N * K;
  if (product.half) return largeProduct(engine, call, product, pa, pb, pc);
  if (wide < small || (count >= 2 * engine.threads && wide < 64 * small)) {
    return oneByOne(engine, call, product, pa, pb, pc);
  }
  return each(product, (left, right, n) =>
    largeProduct(engine, call, product, pa + left, pb + right, pc + 4 * n * M * N),
  );
}

function rowTimesColumns(
  engine: Engine,
  patterns: ReadPatterns,
  x: number,
  b: number,
  across: number,
  c: number,
  N: number,
  K: number,
  bias: number,
  half?: HalfType,
) {
  // As many items for each thread, none of them much more than the others.
  const each = Math.ceil((N * K) / chunk / engine.threads);
  const quarter = Math.max(1, Math.floor(N / 4));
  const step = Math.ceil(quarter / (engine.threads === 1 ? 1 : each * engine.threads));
  const items = Math.ceil(quarter / step);
  const { pattern, end } = patterns.begin("gemvTransposed", (half ? 2 : 4) * N * K);
  const interleaved = Number(pattern === "interleaved");
  const entry = half ? "rowTimesHalfColumns" : "rowTimesColumns";
  const isFloat16 = Number(half === "float16");
  const done = engine.parallel(entry, items, 0, x, b, across, c, N, K, step, bias, interleaved, isFloat16);
  end(done);
  return done;
}

function rowTimesRows(
  engine: Engine,
  patterns: ReadPatterns,
  call: Call,
  x: number,
  b: number,
  down: number,
  c: number,
  N: number,
  K: number,
): boolean {
  const wanted = Math.min(mostParts, Math.max(1, Math.round((4 * K * N) / part)));
  const step = Math.ceil(K / wanted / 16) * 16;
  const count = Math.ceil(K / step);
  const parts = count === 1 ? c : call.scratch(4 * N * count);
  const { pattern, end } = patterns.begin("gemv", 4 * N * K);
  const interleaved = Number(pattern === "interleaved");
  const done = engine.parallel("rowTimesRows", count, 0, x, b, down, parts, N, K, step, interleaved);
  end(done);
  if (!done) return false;
  if (count > 1) engine.exports["addParts"]!(parts, count, N, c);
  return true;
}

/** Each product of the batch as one item. */
function oneByOne(engine: Engine, call: Call, product: Product, pa: number, pb: number, pc: number): boolean {
  const { M, N, K, count, aRow, aColumn, bRow, bColumn } = product;
  const offsets = new Uint32Array(2 * count);
  each(product, (left, right, n) => {
    offsets.set([left / 4, right / 4], 2 * n);
    return true;
  });
  const scratch = engine.exports["matmulScratch"]!(N, K);
  const at = call.copy(offsets);
  return engine.parallel("matmul", count, scratch, pa, pb, pc, at, aRow, aColumn, bRow, bColumn, M, N, K);
}

/** Calls `f` with the byte offsets of a and b for each product of the batch, until it says no. */
function each(
  { count, batch, a, b }: Product,
  f: (left: number, right: number, n: number) => boolean,
): boolean {
  for (let n = 0; n < count; n++) {
    if (!f(4 * batchOffset(n, batch, a), 4 * batchOffset(n, batch, b), n)) return false;
  }
  return true;
}

function describe(a: View, b: View, c: View): Product {
  const [M, K] = a.shape.slice(-2) as [number, number];
  const [aRow, aColumn] = a.strides.slice(-2) as [number, number];
  const [bRow, bColumn] = b.strides.slice(-2) as [number, number];
  const batch = c.shape.slice(0, -2);
  const count = sizeOf(batch);
  const product = { M, N: b.shape.at(-1)!, K, aRow, aColumn, bRow, bColumn, count, batch, a, b };
  // Rows of a whole batch that lie evenly, against one matrix, are one product of more rows.
  const oneMatrix = b.shape.slice(0, -2).every((length) => length === 1);
  const evenly = batch.every((length, axis) => {
    const own = axis - batch.length + a.shape.length - 2;
    const rows = sizeOf(a.shape.slice(own + 1, -1));
    return length === 1 || (own >= 0 && a.shape[own] === length && a.strides[own] === aRow * rows);
  });
  return oneMatrix && evenly && M > 1 ? { ...product, M: M * count, count: 1, batch: [] } : product;
}

/** Offset of the n-th of a batch in an operand that broadcasts to it, in numbers. */
function batchOffset(n: number, batch: readonly number[], { shape, strides }: View): number {
  let offset = 0;
  for (let axis = batch.length - 1; axis >= 0; axis--) {
    const own = axis - batch.length + shape.length - 2;
    const index = n % batch[axis]!;
    n = Math.floor(n / batch[axis]!);
    if (own >= 0 && shape[own] !== 1) offset += index * strides[own]!;
  }
  return offset;
}

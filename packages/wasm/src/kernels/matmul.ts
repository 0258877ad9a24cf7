import { sizeOf, type HalfType, type View } from "@qkv/tensor";
import { deviceAddress, withCall, type Call } from "../call.js";
import type { Engine } from "../engine.js";
import type { ReadPatterns } from "../read-pattern.js";
import { addToRows } from "./elementwise.js";
import { largeProduct, type Product } from "./large-product.js";

/** Largest number of matrix elements that a work item of one row times a matrix reads, with several threads. */
const maxItemLength = 65536;
/**
 * Approximate bytes of a matrix per partial sum, and largest number of partial sums. They do not depend on the number of threads,
 * so neither do the results.
 */
const partBytes = 2 ** 20;
const maxParts = 16;
/** Products of fewer operations run on one thread: starting a second one would cost more. */
const minThreadedWork = 2 ** 21;

/**
 * c = a · b over a batch, with any strides. A single row times a matrix (gemv) reads the matrix once, in place.
 *
 * @param patterns - The order in which gemv reads a matrix, sequential or interleaved: the faster one in timed calls.
 */
export function matmulKernel(engine: Engine, patterns: ReadPatterns) {
  return (inputs: readonly View[], outputs: readonly View[]): boolean => {
    const [a, b] = inputs as [View, View];
    if (a.dtype !== "float32") return false;
    const product = describeProduct(a, b, outputs[0]!);
    const { M, N, K, count, bRow, bColumn, aColumn } = product;
    if (M * N * K * count === 0) return false;
    return withCall(engine, (call) => {
      const [aAddress, bAddress, cAddress] = call.addresses(inputs, outputs) as [number, number, number];
      if (M === 1 && aColumn === 1 && (bRow === 1 || bColumn === 1)) {
        return eachProduct(product, (left, right, n) =>
          bRow === 1
            ? rowTimesColumns(
                engine,
                patterns,
                aAddress + left,
                bAddress + right,
                bColumn,
                cAddress + 4 * n * N,
                N,
                K,
                0,
              )
            : rowTimesRows(
                engine,
                patterns,
                call,
                aAddress + left,
                bAddress + right,
                bRow,
                cAddress + 4 * n * N,
                N,
                K,
              ),
        );
      }
      return rowsTimesMatrix(engine, call, product, aAddress, bAddress, cAddress);
    });
  };
}

/**
 * y = x · Wᵀ + b, with the weight [N, K] as stored. For a single row, the bias is added in the same pass. Weights in 16 bits are
 * converted to float32 as they are read.
 */
export function linearKernel(engine: Engine, patterns: ReadPatterns) {
  return (inputs: readonly View[], outputs: readonly View[]): boolean => {
    const x = inputs[0]!;
    const weight = inputs[1]!;
    const bias = inputs[2];
    if (x.dtype !== "float32") return false;
    const half = halfType(weight);
    const N = weight.shape[0]!;
    const K = weight.shape[1]!;
    const rowStride = weight.strides[0]!;
    const columnStride = weight.strides[1]!;
    if (N * sizeOf(x.shape) === 0) return false;
    const done = rowInMemory(engine, patterns, inputs, outputs[0]!);
    if (done !== undefined) return done;
    const M = sizeOf(x.shape) / K;
    // x may have any strides if it has two axes; with more axes it is contiguous.
    const strided = x.shape.length === 2;
    const aRow = strided ? x.strides[0]! : K;
    const aColumn = strided ? x.strides[1]! : 1;
    return withCall(engine, (call) => {
      const pointers = call.addresses(inputs, outputs);
      const from = pointers[0]!;
      const matrix = pointers[1]!;
      const to = pointers[inputs.length]!;
      if (M === 1 && aColumn === 1 && columnStride === 1 && (!bias || bias.strides[0] === 1)) {
        return rowTimesColumns(
          engine,
          patterns,
          from,
          matrix,
          rowStride,
          to,
          N,
          K,
          bias ? pointers[2]! : 0,
          half,
        );
      }
      const product = {
        M,
        N,
        K,
        aRow,
        aColumn,
        bRow: columnStride,
        bColumn: rowStride,
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

/** Runs a single row times a weight, all in the device's memory, without any allocation. Undefined for other operands. */
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
  const from = deviceAddress(x);
  const matrix = deviceAddress(weight);
  const to = deviceAddress(output);
  const added = bias ? deviceAddress(bias) : 0;
  if (from === undefined || matrix === undefined || to === undefined || added === undefined) return undefined;
  const N = weight.shape[0]!;
  const rowStride = weight.strides[0]!;
  return rowTimesColumns(engine, patterns, from, matrix, rowStride, to, N, K, added, halfType(weight));
}

const halfType = ({ dtype }: View): HalfType | undefined =>
  dtype === "bfloat16" || dtype === "float16" ? dtype : undefined;

function rowsTimesMatrix(
  engine: Engine,
  call: Call,
  product: Product,
  aAddress: number,
  bAddress: number,
  cAddress: number,
): boolean {
  const { M, N, K, count } = product;
  const work = 2 * M * N * K;
  if (product.half) return largeProduct(engine, call, product, aAddress, bAddress, cAddress);
  if (work < minThreadedWork || (count >= 2 * engine.threads && work < 64 * minThreadedWork)) {
    return smallProducts(engine, call, product, aAddress, bAddress, cAddress);
  }
  return eachProduct(product, (left, right, n) =>
    largeProduct(engine, call, product, aAddress + left, bAddress + right, cAddress + 4 * n * M * N),
  );
}

function rowTimesColumns(
  engine: Engine,
  patterns: ReadPatterns,
  x: number,
  b: number,
  bColumn: number,
  c: number,
  N: number,
  K: number,
  bias: number,
  half?: HalfType,
) {
  // Items of about equal length, the same number for each thread.
  const itemsPerThread = Math.ceil((N * K) / maxItemLength / engine.threads);
  const quarter = Math.max(1, Math.floor(N / 4));
  const step = Math.ceil(quarter / (engine.threads === 1 ? 1 : itemsPerThread * engine.threads));
  const items = Math.ceil(quarter / step);
  const { pattern, end } = patterns.begin("gemvTransposed", (half ? 2 : 4) * N * K);
  const interleaved = Number(pattern === "interleaved");
  const entry = half ? "rowTimesHalfColumns" : "rowTimesColumns";
  const isFloat16 = Number(half === "float16");
  const done = engine.parallel(entry, items, 0, x, b, bColumn, c, N, K, step, bias, interleaved, isFloat16);
  end(done);
  return done;
}

function rowTimesRows(
  engine: Engine,
  patterns: ReadPatterns,
  call: Call,
  x: number,
  b: number,
  rowStride: number,
  c: number,
  N: number,
  K: number,
): boolean {
  const targetParts = Math.min(maxParts, Math.max(1, Math.round((4 * K * N) / partBytes)));
  const step = Math.ceil(K / targetParts / 16) * 16;
  const count = Math.ceil(K / step);
  const parts = count === 1 ? c : call.scratch(4 * N * count);
  const { pattern, end } = patterns.begin("gemv", 4 * N * K);
  const interleaved = Number(pattern === "interleaved");
  const done = engine.parallel("rowTimesRows", count, 0, x, b, rowStride, parts, N, K, step, interleaved);
  end(done);
  if (!done) return false;
  if (count > 1) engine.exports["addParts"]!(parts, count, N, c);
  return true;
}

/** Computes each product of the batch as one work item. */
function smallProducts(
  engine: Engine,
  call: Call,
  product: Product,
  aAddress: number,
  bAddress: number,
  cAddress: number,
): boolean {
  const { M, N, K, count, aRow, aColumn, bRow, bColumn } = product;
  const offsets = new Uint32Array(2 * count);
  eachProduct(product, (left, right, n) => {
    offsets.set([left / 4, right / 4], 2 * n);
    return true;
  });
  const scratch = engine.exports["matmulScratch"]!(N, K);
  const at = call.copy(offsets);
  return engine.parallel(
    "matmul",
    count,
    scratch,
    aAddress,
    bAddress,
    cAddress,
    at,
    aRow,
    aColumn,
    bRow,
    bColumn,
    M,
    N,
    K,
  );
}

/** Calls `f` with the byte offsets of a and b for each product of the batch, until it returns false. */
function eachProduct(
  { count, batch, a, b }: Product,
  f: (left: number, right: number, n: number) => boolean,
): boolean {
  for (let n = 0; n < count; n++) {
    if (!f(4 * batchOffset(n, batch, a), 4 * batchOffset(n, batch, b), n)) return false;
  }
  return true;
}

/** The product of two operands, with as many rows as possible. */
function describeProduct(a: View, b: View, c: View): Product {
  const [M, K] = a.shape.slice(-2) as [number, number];
  const [aRow, aColumn] = a.strides.slice(-2) as [number, number];
  const [bRow, bColumn] = b.strides.slice(-2) as [number, number];
  const batch = c.shape.slice(0, -2);
  const count = sizeOf(batch);
  const product = { M, N: b.shape.at(-1)!, K, aRow, aColumn, bRow, bColumn, count, batch, a, b };
  // If b has no batch and the rows of a are evenly spaced over the batch, it is a single product with more rows.
  const oneMatrix = b.shape.slice(0, -2).every((length) => length === 1);
  const evenly = batch.every((length, axis) => {
    const aAxis = axis - batch.length + a.shape.length - 2;
    const rows = sizeOf(a.shape.slice(aAxis + 1, -1));
    return length === 1 || (aAxis >= 0 && a.shape[aAxis] === length && a.strides[aAxis] === aRow * rows);
  });
  return oneMatrix && evenly && M > 1 ? { ...product, M: M * count, count: 1, batch: [] } : product;
}

/** Offset, in elements, of product `n` of the batch in an operand that broadcasts to it. */
function batchOffset(n: number, batch: readonly number[], { shape, strides }: View): number {
  let offset = 0;
  for (let axis = batch.length - 1; axis >= 0; axis--) {
    const operandAxis = axis - batch.length + shape.length - 2;
    const index = n % batch[axis]!;
    n = Math.floor(n / batch[axis]!);
    if (operandAxis >= 0 && shape[operandAxis] !== 1) offset += index * strides[operandAxis]!;
  }
  return offset;
}

import { sizeOf, type View } from "@qkv/tensor";
import { blockRows, lastBlockRows } from "../binaries/layout.js";
import { withCall, type Call } from "../call.js";
import type { Engine } from "../engine.js";
import { addToRows } from "./elementwise.js";
import { isContiguousView } from "./contiguous-view.js";

/** Number of rows from which on weights are dequantized once for all rows. */
const minDequantizedRows = 4;
/** Bytes of int8 activations that stay in the L2 cache of a core while the weights are read. */
const cachedBytes = 393216;

/** M rows of x, N outputs, K inputs, and the strides of x in elements. */
type Sizes = { M: number; N: number; K: number; xRow: number; xColumn: number };

/** y = x · Wᵀ + b with weights of 8 or 4 bits, read in place in panels of 8 outputs. */
export function quantizedMatmulKernel(engine: Engine) {
  const { exports } = engine;
  // 1 if the relaxed SIMD dot product of bytes is exact on this machine; tested when it is first needed.
  let dotIsExact: number | undefined;
  return (
    inputs: readonly View[],
    outputs: readonly View[],
    { activations }: { activations: "float32" | "int8" },
  ): boolean => {
    const [x, data, scale, bias] = inputs as [View, View, View, View | undefined];
    const K = x.shape.at(-1)!;
    const M = sizeOf(x.shape.slice(0, -1));
    const N = scale.shape[0]!;
    if (x.dtype !== "float32" || M * N * K === 0) return false;
    if (!isContiguousView(data, data.dtype) || !isContiguousView(scale)) return false;
    const bits = data.dtype === "uint8" ? 4 : 8;
    // x may have any strides if it has two axes; with more axes it is contiguous.
    const [xRow, xColumn] = x.shape.length === 2 ? (x.strides as [number, number]) : [K, 1];
    const panels = Math.ceil(N / 8);
    const sizes = { M, N, K, xRow, xColumn };
    return withCall(engine, (call) => {
      const pointers = call.addresses(inputs, outputs);
      const [from, weights, scales] = pointers as [number, number, number];
      const to = pointers.at(-1)!;
      const addBias = () => !bias || addToRows(engine, call, to, [M, N], bias, pointers[3]!);
      if (activations === "int8") {
        dotIsExact ??= exports["bytesAreExact"]!();
        const product = M < blockRows ? int8Rows : int8Tiles;
        return product(engine, call, sizes, [from, weights, scales, to], dotIsExact) && addBias();
      }
      if (M >= minDequantizedRows) {
        const blocks = call.scratch(4 * K * (M + blockRows));
        return (
          engine.parallel("quantizedBlocks", Math.ceil(M / 64), 0, ...[from, xRow, xColumn, M, K, blocks]) &&
          engine.parallel(
            "quantizedPanels",
            panels,
            exports["quantizedPanelsScratch"]!(K),
            ...[blocks, weights, scales, bits, to, M, N, K],
          ) &&
          addBias()
        );
      }
      if (bits === 4) return int4Rows(engine, call, sizes, [from, weights, scales, to]) && addBias();
      // Rows are quantized to integers of 23 bits, which are stored as their upper 16 and their lower 7 bits.
      const bytes = exports["splitBytes"]!(K);
      const rows = call.scratch(M * bytes);
      if (!engine.parallel("splitRows", M, 512, from, xRow, xColumn, K, rows)) return false;
      dotIsExact ??= exports["bytesAreExact"]!();
      const step = panelsPerItem(K);
      const [biasAddress, biasStride] = bias ? [pointers[3]!, bias.strides[0]!] : [0, 0];
      for (let m = 0; m < M; m++) {
        const args = [
          rows + m * bytes,
          weights,
          scales,
          biasAddress,
          biasStride,
          to + 4 * m * N,
          N,
          K,
          step,
          dotIsExact,
        ];
        if (!engine.parallel("splitRow", Math.ceil(panels / step), 64, ...args)) return false;
      }
      return true;
    });
  };
}

/**
 * Quantizes as many rows as stay in the cache of a core and multiplies them by all panels, before the next rows: the weights are
 * read once per group of rows.
 */
function int8Tiles(
  engine: Engine,
  call: Call,
  { M, N, K, xRow, xColumn }: Sizes,
  [from, weights, scales, to]: readonly [number, number, number, number],
  dotIsExact: number,
): boolean {
  const rowBytes = 4 * Math.ceil(K / 4);
  const tiles = Math.ceil(M / Math.max(blockRows, cachedBytes / rowBytes));
  const height = Math.ceil(M / tiles / blockRows) * blockRows;
  const blocks = call.scratch(height * rowBytes);
  const factors = call.scratch(4 * height);
  const panels = Math.ceil(N / 8);
  const offsets = call.scratch(32 * panels);
  // Panels per work item.
  const step = engine.threads === 1 ? panels : Math.ceil(panels / (4 * engine.threads));
  for (let m = 0; m < M; m += height) {
    const rows = Math.min(height, M - m);
    const sixRowEnd = rowsInBlocksOfSix(rows);
    const items = sixRowEnd / blockRows + Math.max(0, Math.ceil((rows - sixRowEnd) / lastBlockRows));
    const quantizeArgs = [
      from + 4 * m * xRow,
      xRow,
      xColumn,
      rows,
      K,
      blocks,
      factors,
      sixRowEnd,
      lastBlockRows,
    ];
    const args = [blocks, factors, weights, scales, offsets, to + 4 * m * N, rows, sixRowEnd, N, K, step];
    const done =
      engine.parallel("quantizeRows", items, 4 * blockRows, ...quantizeArgs) &&
      engine.parallel(
        "int8Panels",
        Math.ceil(panels / step),
        32 * blockRows,
        ...args,
        m === 0 ? 1 : 0,
        dotIsExact,
      );
    if (!done) return false;
  }
  return true;
}

/** Number of rows that are computed in blocks of 6, so that the last blocks, of 4 rows, are almost full: the last 8 rows are two of 4. */
function rowsInBlocksOfSix(rows: number): number {
  const remainder = rows % blockRows;
  if (remainder === 0 || remainder > lastBlockRows) return Math.ceil(rows / blockRows) * blockRows;
  return Math.max(0, rows - remainder - (remainder > 2 ? 0 : blockRows));
}

/** Quantizes a few rows and multiplies them one after the other. */
function int8Rows(
  engine: Engine,
  call: Call,
  { M, N, K, xRow, xColumn }: Sizes,
  [from, weights, scales, to]: readonly [number, number, number, number],
  dotIsExact: number,
): boolean {
  const rowBytes = 4 * Math.ceil(K / 4);
  const blocks = call.scratch(M * rowBytes);
  const factors = call.scratch(4 * M);
  if (!engine.parallel("quantizeRows", M, 4, from, xRow, xColumn, M, K, blocks, factors, 0, 1)) {
    return false;
  }
  const panels = Math.ceil(N / 8);
  const step = panelsPerItem(K);
  const factor = new Float32Array(engine.memory.memory.buffer, factors, M);
  for (let m = 0; m < M; m++) {
    const args = [blocks + m * rowBytes, factor[m]!, weights, scales, to + 4 * m * N, N, K, step, dotIsExact];
    if (!engine.parallel("int8Row", Math.ceil(panels / step), 64, ...args)) return false;
  }
  return true;
}

/** Multiplies a few rows by 4-bit weights one after the other, from a copy of x that is padded with zeros. */
function int4Rows(
  engine: Engine,
  call: Call,
  { M, N, K, xRow, xColumn }: Sizes,
  [from, weights, scales, to]: readonly [number, number, number, number],
): boolean {
  const panels = Math.ceil(N / 8);
  const step = panelsPerItem(K);
  const length = Math.ceil(K / 32) * 32;
  const rows = call.scratch(4 * M * length);
  const numbers = new Float32Array(engine.memory.memory.buffer);
  for (let m = 0; m < M; m++) {
    const to = rows / 4 + m * length;
    const at = from / 4 + m * xRow;
    numbers.fill(0, to + K, to + length);
    for (let k = 0; k < K; k++) numbers[to + k] = numbers[at + k * xColumn]!;
  }
  for (let m = 0; m < M; m++) {
    const args = [rows + 4 * m * length, weights, scales, to + 4 * m * N, N, K, step];
    if (!engine.parallel("quantizedRow", Math.ceil(panels / step), 16, ...args)) return false;
  }
  return true;
}

/** Panels per work item, about 64 KiB of weights. */
function panelsPerItem(K: number): number {
  return Math.max(2, 2 * Math.floor(65536 / (16 * K)));
}

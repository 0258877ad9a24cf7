import { broadcastStrides, sizeOf } from "@qkv/core";
import type { Kernel, View } from "@qkv/tensor";
import { blockLayout, eachLine, rowsOfBlocks, type Blocks } from "../blocks.js";
import { dotRows, stayInRow } from "../dot-rows.js";
import { runInto, withScratch, type Gl, type RegisterScratch } from "../gl.js";
import { quotient } from "../glsl.js";
import type { Run, Texture } from "../shaders.js";
import { packRows } from "./pack-rows.js";

/**
 * out[…, m, n] = Σ_k a[…, m, k] · b[…, k, n]. One thread computes a block of four rows and four columns: for every four k it
 * reads four texels of a and of b, and computes 64 products. Both are read along k in whole texels, as transposed weights are
 * stored; other layouts are packed first, which costs little compared with the product.
 */
export function matmulKernel(gl: Gl): Kernel<undefined> {
  return (inputs, [output]) => {
    const [a, b] = inputs as [View, View];
    if (output!.dtype !== "float32" || sizeOf(output!.shape) === 0) return false;
    const [M, K] = a.shape.slice(-2) as [number, number];
    const N = b.shape.at(-1)!;
    if (K === 0) return false;
    return withScratch(gl, (asScratch) => {
      const left = packedRows(gl, a, asScratch);
      const right = packedRows(gl, transposed(b), asScratch);
      const batch = output!.shape.slice(0, -2);
      const blocks = M * N * K < minBlockWork ? { lines: M, height: 1, perGroup: M } : blockLayout(M);
      const rowTexels = Math.ceil(N / 4);
      const run: Run = {
        name: "matmul",
        text: product(blocks, K, N, left, right, batch),
        inputs: { a: left.texture, b: right.texture },
        ints: { aAt: left.at, bAt: right.at },
        length: sizeOf(batch) * blocks.perGroup * rowTexels * 4,
      };
      if (blocks.height === 1 && N % 4 === 0) return runInto(gl, output!, run);
      const results = gl.shaders.runAll(run, blocks.height).map(asScratch);
      return runInto(gl, output!, rowsOfBlocks(blocks, results, { rowTexels, count: N }));
    });
  };
}

/** M · N · K from which blocks are faster, although a second pass copies them into rows. */
const minBlockWork = 2 ** 17;

/** A batch of matrices whose rows are whole texels. The offset `at` and the strides are in texels; `step` is that of rows. */
type Rows = {
  readonly texture: Texture;
  readonly at: number;
  readonly step: number;
  readonly batch: { readonly shape: readonly number[]; readonly strides: readonly number[] };
};

/** The rows of matrices, read in place if they are whole texels, else packed. */
function packedRows(gl: Gl, x: View, asScratch: RegisterScratch): Rows {
  const { shape, strides, offset } = x;
  const isTexelAligned = (n: number, axis: number) => shape[axis] === 1 || n % 4 === 0;
  const outer = shape.slice(0, -2);
  const inPlace =
    (strides.at(-1) === 1 || shape.at(-1) === 1) &&
    shape.at(-1)! % 4 === 0 &&
    offset % 4 === 0 &&
    strides.slice(0, -1).every(isTexelAligned);
  if (inPlace) {
    return {
      texture: gl.store.bufferOf(x),
      at: offset / 4,
      step: Math.floor(strides.at(-2)! / 4),
      batch: { shape: outer, strides: strides.slice(0, -2).map((n) => Math.floor(n / 4)) },
    };
  }
  const texture = asScratch(packRows(gl, [x]));
  const rowTexels = Math.ceil(shape.at(-1)! / 4);
  const packed: number[] = [];
  let step = rowTexels * shape.at(-2)!;
  for (let axis = outer.length - 1; axis >= 0; axis--) {
    packed.unshift(step);
    step *= outer[axis]!;
  }
  return { texture, at: 0, step: rowTexels, batch: { shape: outer, strides: packed } };
}

/** A view with the last two axes exchanged. */
function transposed(x: View): View {
  const swap = (list: readonly number[]) => [...list.slice(0, -2), list.at(-1)!, list.at(-2)!];
  return {
    get array() {
      return x.array;
    },
    storage: x.storage,
    dtype: x.dtype,
    shape: swap(x.shape),
    strides: swap(x.strides),
    offset: x.offset,
  };
}

/** GLSL that computes `a0` and `b0`, the offsets of the matrices of batch `z`. */
function batchText(batch: readonly number[], left: Rows, right: Rows): string {
  const steps = [left, right].map(({ batch: { shape, strides } }) =>
    broadcastStrides([...batch], [...shape], [...strides]),
  );
  const lines = ["int a0 = aAt;", "int b0 = bAt;"];
  for (let axis = batch.length - 1; axis >= 0; axis--) {
    const index = axis === 0 ? "z" : `(z % ${batch[axis]})`;
    steps.forEach((strides, side) => {
      if (strides[axis] !== 0) lines.push(`${side === 0 ? "a0" : "b0"} += ${index} * ${strides[axis]};`);
    });
    if (axis > 0) lines.push(`z /= ${batch[axis]};`);
  }
  return lines.join("\n  ");
}

/** GLSL of the product. b is transposed: texel k of its row n has b[4k … 4k + 3, n]. Rows are padded with zeros to whole texels. */
function product(
  blocks: Blocks,
  K: number,
  N: number,
  left: Rows,
  right: Rows,
  batch: readonly number[],
): string {
  const { lines, height, perGroup } = blocks;
  const rowTexels = Math.ceil(K / 4);
  const inRow = ({ texture, at, step, batch: { strides } }: Rows) =>
    stayInRow({ texture, rowTexels, steps: [at, step, ...strides] });
  // Rows and columns of a block beyond the last one read the last one again; nothing reads their results.
  const clamped = (index: string, isInRange: boolean, last: number) =>
    isInRange ? index : `min(${index}, ${last})`;
  const rows = eachLine(blocks, (r) => ({
    name: "a",
    start: `a0 + (${clamped(`y + ${r}`, lines % height === 0, lines - 1)}) * ${left.step}`,
    inRow: inRow(left),
  }));
  const columns = [0, 1, 2, 3].map((c) => ({
    name: "b",
    start: `b0 + (${clamped(`x + ${c}`, N % 4 === 0, N - 1)}) * ${right.step}`,
    inRow: inRow(right),
  }));
  return `vec4 compute(int i) {
  int block = ${quotient("i", Math.ceil(N / 4))};
  int x = (i - block * ${Math.ceil(N / 4)}) * 4;
  int z = ${quotient("block", perGroup)};
  int y = (block - z * ${perGroup}) * ${height};
  ${batchText(batch, left, right)}
  ${dotRows(rows, columns, String(rowTexels))}
  ${eachLine(blocks, (r) => (r === 0 ? "" : `result${r} = sum${r};`)).join(" ")}
  return sum0;
}`;
}

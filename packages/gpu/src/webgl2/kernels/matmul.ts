import { broadcastStrides, sizeOf } from "@qkv/core";
import type { Kernel, View } from "@qkv/tensor";
import { blocksOf, eachLine, rowsOfBlocks, type Blocks } from "../blocks.js";
import { dotRows, stayInRow } from "../dot-rows.js";
import { runInto, withScratch, type Gl } from "../gl.js";
import { quotient } from "../glsl.js";
import type { Run, Texture } from "../shaders.js";
import { packRows } from "./pack-rows.js";

/**
 * out[…, m, n] = Σ_k a[…, m, k] · b[…, k, n]. One thread computes a block of four rows and four columns: for four k it
 * reads four texels of each side, and does 64 products. Both are read along k, as a weight lies that is transposed; what
 * lies otherwise, or not in whole texels, is transposed and packed first, which costs little beside the product.
 */
export function matmulKernel(gl: Gl): Kernel<undefined> {
  return (inputs, [output]) => {
    const [a, b] = inputs as [View, View];
    if (output!.dtype !== "float32" || sizeOf(output!.shape) === 0) return false;
    const [M, K] = a.shape.slice(-2) as [number, number];
    const N = b.shape.at(-1)!;
    if (K === 0) return false;
    return withScratch(gl, (own) => {
      const left = rowsOf(gl, a, own);
      const right = rowsOf(gl, swapped(b), own);
      const batch = output!.shape.slice(0, -2);
      const blocks = M * N * K < blockWork ? { lines: M, height: 1, perGroup: M } : blocksOf(M);
      const wide = Math.ceil(N / 4);
      const run: Run = {
        name: "matmul",
        text: product(blocks, K, N, left, right, batch),
        inputs: { a: left.texture, b: right.texture },
        ints: { aAt: left.at, bAt: right.at },
        length: sizeOf(batch) * blocks.perGroup * wide * 4,
      };
      if (blocks.height === 1 && N % 4 === 0) return runInto(gl, output!, run);
      const results = gl.shaders.runAll(run, blocks.height).map(own);
      return runInto(gl, output!, rowsOfBlocks(blocks, results, { wide, count: N }));
    });
  };
}

/** Multiplications from which blocks pay for the pass that puts them back in rows. */
const blockWork = 2 ** 17;

/** A batch of matrices whose rows are whole texels; places and steps are in texels. */
type Rows = {
  readonly texture: Texture;
  readonly at: number;
  readonly step: number;
  readonly batch: { readonly shape: readonly number[]; readonly strides: readonly number[] };
};

function rowsOf(gl: Gl, x: View, own: Parameters<Parameters<typeof withScratch>[1]>[0]): Rows {
  const { shape, strides, offset } = x;
  const whole = (n: number, axis: number) => shape[axis] === 1 || n % 4 === 0;
  const outer = shape.slice(0, -2);
  const inPlace =
    (strides.at(-1) === 1 || shape.at(-1) === 1) &&
    shape.at(-1)! % 4 === 0 &&
    offset % 4 === 0 &&
    strides.slice(0, -1).every(whole);
  if (inPlace) {
    return {
      texture: gl.store.bufferOf(x),
      at: offset / 4,
      step: Math.floor(strides.at(-2)! / 4),
      batch: { shape: outer, strides: strides.slice(0, -2).map((n) => Math.floor(n / 4)) },
    };
  }
  const texture = own(packRows(gl, [x]));
  const wide = Math.ceil(shape.at(-1)! / 4);
  const packed: number[] = [];
  let step = wide * shape.at(-2)!;
  for (let axis = outer.length - 1; axis >= 0; axis--) {
    packed.unshift(step);
    step *= outer[axis]!;
  }
  return { texture, at: 0, step: wide, batch: { shape: outer, strides: packed } };
}

function swapped(x: View): View {
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

/** Offsets of the matrices of a batch. */
function batchText(batch: readonly number[], left: Rows, right: Rows): string {
  const steps = [left, right].map(({ batch: { shape, strides } }) =>
    broadcastStrides([...batch], [...shape], [...strides]),
  );
  const lines = ["int a0 = aAt;", "int b0 = bAt;"];
  for (let axis = batch.length - 1; axis >= 0; axis--) {
    const index = axis === 0 ? "z" : `(z % ${batch[axis]})`;
    steps.forEach((own, side) => {
      if (own[axis] !== 0) lines.push(`${side === 0 ? "a0" : "b0"} += ${index} * ${own[axis]};`);
    });
    if (axis > 0) lines.push(`z /= ${batch[axis]};`);
  }
  return lines.join("\n  ");
}

/** b by rows of k: texel k of row n holds b[4k … 4k + 3, n]. Both are padded with zeros to whole texels. */
function product(
  blocks: Blocks,
  K: number,
  N: number,
  left: Rows,
  right: Rows,
  batch: readonly number[],
): string {
  const { lines, height, perGroup } = blocks;
  const wide = Math.ceil(K / 4);
  const inRow = ({ texture, at, step, batch: { strides } }: Rows) =>
    stayInRow({ texture, wide, steps: [at, step, ...strides] });
  // Beyond the last row and column there may be anything: the last one is read again, and what comes of it is not.
  const least = (index: string, whole: boolean, last: number) => (whole ? index : `min(${index}, ${last})`);
  const rows = eachLine(blocks, (r) => ({
    name: "a",
    start: `a0 + (${least(`y + ${r}`, lines % height === 0, lines - 1)}) * ${left.step}`,
    inRow: inRow(left),
  }));
  const columns = [0, 1, 2, 3].map((c) => ({
    name: "b",
    start: `b0 + (${least(`x + ${c}`, N % 4 === 0, N - 1)}) * ${right.step}`,
    inRow: inRow(right),
  }));
  return `vec4 compute(int i) {
  int block = ${quotient("i", Math.ceil(N / 4))};
  int x = (i - block * ${Math.ceil(N / 4)}) * 4;
  int z = ${quotient("block", perGroup)};
  int y = (block - z * ${perGroup}) * ${height};
  ${batchText(batch, left, right)}
  ${dotRows(rows, columns, String(wide))}
  ${eachLine(blocks, (r) => (r === 0 ? "" : `result${r} = sum${r};`)).join(" ")}
  return sum0;
}`;
}

import { broadcastStrides, sizeOf } from "@qkv/core";
import type { Kernel, View } from "@qkv/tensor";
import { dotRows, stayInRow } from "../dot-rows.js";
import { runInto, withScratch, type Gl } from "../gl.js";
import type { Texture } from "../shaders.js";
import { oneByOne } from "../numbers.js";
import { packRows } from "./pack-rows.js";

/**
 * out[…, m, n] = Σ_k a[…, m, k] · b[…, k, n]. One thread computes four neighbours in a row: for four k it reads one texel
 * of a and four of b, and does sixteen products. Both are read along k, as a weight lies that is transposed; what lies
 * otherwise, or not in whole texels, is turned and packed first, which costs little beside the product.
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
      const wide = Math.ceil(N / 4);
      const batch = output!.shape.slice(0, -2);
      if (M % 2 === 0 && N % 4 === 0 && M * N * K >= blockWork) {
        const blocks = own(
          gl.shaders.run({
            name: "blocks",
            text: blockProduct(M, K, N, left, right, batch),
            inputs: { a: left.texture, b: right.texture },
            ints: { aAt: left.at, bAt: right.at },
            length: sizeOf(output!.shape),
          }),
        );
        return runInto(gl, output!, { name: "rowsOfBlocks", text: rowsOfBlocks(N), inputs: { x: blocks } });
      }
      const text = product(M, K, N, left, right, batch);
      const run = {
        name: "matmul",
        text,
        inputs: { a: left.texture, b: right.texture },
        ints: { aAt: left.at, bAt: right.at },
      };
      if (N % 4 === 0) return runInto(gl, output!, run);
      const padded = own(gl.shaders.run({ ...run, length: (sizeOf(output!.shape) / N) * wide * 4 }));
      return runInto(gl, output!, {
        name: "unpad",
        text: `float number(int n) { int row = n / ${N}; return x1(row * ${wide * 4} + n - row * ${N}); }
${oneByOne}`,
        inputs: { x: padded },
      });
    });
  };
}

/** Multiplications from which blocks pay for their second pass. */
const blockWork = 2 ** 20;

/**
 * A texel holds two rows of two columns: for four k a thread reads two texels of each side in place of one and four, a
 * fifth less for the same sixteen products.
 */
function blockProduct(
  M: number,
  K: number,
  N: number,
  left: Rows,
  right: Rows,
  batch: readonly number[],
): string {
  const wide = Math.ceil(K / 4);
  const walk = (name: string, { texture, at, step, batch: { strides } }: Rows) =>
    stayInRow({ texture, wide, steps: [at, step, ...strides] })
      ? { type: "vec2", start: `${name}Place`, read: `${name}By`, next: `.x += ${name}Next` }
      : { type: "int", start: "", read: `${name}4`, next: " += 1" };
  const [a, b] = [walk("a", left), walk("b", right)];
  return `vec4 compute(int i) {
  int wide = ${N / 2};
  int row = i / wide;
  int x = (i - row * wide) * 2;
  int z = row / ${M / 2};
  int y = (row - z * ${M / 2}) * 2;
  ${batchText(batch, left, right)}
  ${a.type} p0 = ${a.start}(a0 + y * ${left.step});
  ${a.type} p1 = ${a.start}(a0 + (y + 1) * ${left.step});
  ${b.type} q0 = ${b.start}(b0 + x * ${right.step});
  ${b.type} q1 = ${b.start}(b0 + (x + 1) * ${right.step});
  vec4 sum = vec4(0.0);
  for (int k = 0; k < ${wide}; k++) {
    vec4 top = ${a.read}(p0);
    vec4 low = ${a.read}(p1);
    vec4 one = ${b.read}(q0);
    vec4 two = ${b.read}(q1);
    sum += vec4(dot(top, one), dot(top, two), dot(low, one), dot(low, two));
    p0${a.next}; p1${a.next}; q0${b.next}; q1${b.next};
  }
  return sum;
}`;
}

/** Blocks of two rows and two columns, back in rows. */
function rowsOfBlocks(N: number): string {
  return `vec4 compute(int i) {
  int row = i / ${N / 4};
  int block = (row >> 1) * ${N / 2} + (i - row * ${N / 4}) * 2;
  vec4 left = x4(block);
  vec4 right = x4(block + 1);
  return (row & 1) == 0 ? vec4(left.xy, right.xy) : vec4(left.zw, right.zw);
}`;
}

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

/** Where the matrices of a batch begin. */
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

const threadText = (M: number, N: number) => `int wide = ${Math.ceil(N / 4)};
  int row = i / wide;
  int x = i - row * wide;
  int z = row / ${M};
  int y = row - z * ${M};`;

/** b by rows of k: texel k of row n holds b[4k … 4k + 3, n]. Both are padded with zeros to whole texels. */
function product(M: number, K: number, N: number, left: Rows, right: Rows, batch: readonly number[]): string {
  // Beyond the last column there may be anything: the last one is read again, and what comes of it is not.
  const column = (lane: number) =>
    N % 4 === 0 ? `b0 + (n + ${lane}) * ${right.step}` : `b0 + min(n + ${lane}, ${N - 1}) * ${right.step}`;
  const wide = Math.ceil(K / 4);
  const inRow = ({ texture, at, step, batch: { strides } }: Rows) =>
    stayInRow({ texture, wide, steps: [at, step, ...strides] });
  const starts = [`a0 + y * ${left.step}`, column(0), column(1), column(2), column(3)] as const;
  return `vec4 compute(int i) {
  ${threadText(M, N)}
  ${batchText(batch, left, right)}
  int n = x * 4;
  vec4 sum = vec4(0.0);
  ${dotRows(["a", "b"], starts, String(wide), { a: inRow(left), b: inRow(right) })}
  return sum;
}`;
}

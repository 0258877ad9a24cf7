import { broadcastStrides, copyPacked, sizeOf } from "@qkv/core";
import type { Kernel, View } from "@qkv/tensor";
import type { Store } from "../store.js";
import { attentionKernel } from "./attention.js";
import { inOrder, putNumbers, type Wasm } from "./numbers-of.js";
import type { Numbers, Scalars } from "./scalars.js";

/** The kernels of mode `webasm`, by op name: matrix products, attention, softmax, norms, and the common functions. */
export function scalarKernels(parts: {
  readonly scalars: Scalars;
  readonly store: Store<Numbers>;
}): Record<string, Kernel<never>> {
  return {
    ...elementwiseKernels(parts),
    ...lineKernels(parts),
    attention: attentionKernel(parts),
    matmul: matmulKernel(parts),
  };
}

const unary: Record<string, string> = {
  neg: "-a",
  abs: "Math.abs(a)",
  exp: "Math.exp(a)",
  log: "Math.log(a)",
  tanh: "Math.tanh(a)",
  sqrt: "Math.sqrt(a)",
  relu: "Math.max(a, 0)",
  sigmoid: "1 / (1 + Math.exp(-a))",
  silu: "a / (1 + Math.exp(-a))",
};
const binary: Record<string, string> = {
  add: "a + b",
  sub: "a - b",
  mul: "a * b",
  div: "a / b",
  maximum: "Math.max(a, b)",
  minimum: "Math.min(a, b)",
};

function elementwiseKernels(wasm: Wasm): Record<string, Kernel<never>> {
  const kernels: Record<string, Kernel<never>> = {};
  for (const [name, formula] of Object.entries({ ...unary, ...binary })) {
    const params = name in unary ? ["x"] : ["x", "y"];
    const source = `function ${name}(${params.join(", ")}) {
  const a = x[this.thread.x];
  ${params.length > 1 ? "const b = y[this.thread.x];" : ""}
  return ${formula};
}`;
    kernels[name] = (inputs, [output]) => {
      const length = sizeOf(output!.shape);
      if (output!.dtype !== "float32" || length === 0) return false;
      const spread = inputs.map((view) => {
        const strides = broadcastStrides([...output!.shape], [...view.shape], [...view.strides]);
        return copyPacked(
          { ...described(view), shape: output!.shape, strides },
          wasm.store.bufferOf(view).numbers,
        ) as Float32Array;
      });
      return putNumbers(wasm, output!, {
        name,
        source,
        constants: {},
        inputs: spread,
        output: [length, 1, 1],
      });
    };
  }
  return kernels;
}

const described = ({ dtype, offset }: View) => ({ dtype, offset });

/** out[z, y, x] = Σ_k a[z, y, k] · b[z, k, x] */
function matmulKernel(wasm: Wasm): Kernel<undefined> {
  return ([a, b], [output]) => {
    const [M, K] = a!.shape.slice(-2) as [number, number];
    const N = b!.shape.at(-1)!;
    const batch = output!.shape.slice(0, -2);
    if (output!.dtype !== "float32" || sizeOf(output!.shape) * K === 0) return false;
    const spread = (view: View, rows: number, columns: number) => {
      const outer = broadcastStrides([...batch], view.shape.slice(0, -2), view.strides.slice(0, -2));
      const shape = [...batch, rows, columns];
      const strides = [...outer, ...view.strides.slice(-2)];
      return copyPacked(
        { ...described(view), shape, strides },
        wasm.store.bufferOf(view).numbers,
      ) as Float32Array;
    };
    return putNumbers(wasm, output!, {
      name: "matmul",
      source: `function matmul(a, b) {
  const row = (this.thread.z * this.constants.M + this.thread.y) * this.constants.K;
  const column = this.thread.z * this.constants.K * this.constants.N + this.thread.x;
  let sum = 0;
  for (let k = 0; k < this.constants.K; k++) {
    sum += a[row + k] * b[column + k * this.constants.N];
  }
  return sum;
}`,
      constants: { M, K, N },
      inputs: [spread(a!, M, K), spread(b!, K, N)],
      output: [N, M, sizeOf(batch)],
    });
  };
}

type Norm = { readonly eps: number };

function lineKernels(wasm: Wasm): Record<string, Kernel<never>> {
  const softmax = ([x]: readonly View[], [output]: readonly View[], { axis }: { axis: number }): boolean => {
    const last = x!.shape.length - 1;
    const N = x!.shape[last]!;
    const rows = sizeOf(x!.shape) / N;
    if (axis !== last || x!.dtype !== "float32" || !(rows > 0)) return false;
    const numbers = inOrder(wasm, x!);
    const [top, total] = softmaxParts(wasm, numbers, rows, N);
    return putNumbers(wasm, output!, {
      name: "softmax",
      source: `function softmax(x, top, total) {
  return Math.exp(x[this.thread.y * this.constants.N + this.thread.x] - top[this.thread.y]) / total[this.thread.y];
}`,
      constants: { N },
      inputs: [numbers, top, total],
      output: [N, rows, 1],
    });
  };
  const norm =
    (corrected: boolean) =>
    ([x, weight, bias]: readonly View[], [output]: readonly View[], { eps }: Norm): boolean => {
      const N = x!.shape.at(-1)!;
      const rows = sizeOf(x!.shape) / N;
      if (x!.dtype !== "float32" || !(rows > 0)) return false;
      const numbers = inOrder(wasm, x!);
      const constants = { N, eps };
      const overRows = (name: string, body: string, inputs: Float32Array[]) =>
        wasm.scalars.run({
          name,
          source: `function ${name}(${["x", "mean", "rest"].slice(0, inputs.length).join(", ")}) {
  const row = this.thread.x * this.constants.N;
  let sum = 0;
  for (let k = 0; k < this.constants.N; k++) {
    ${body}
  }
  return sum / this.constants.N;
}`,
          constants,
          inputs,
          output: [rows, 1, 1],
        });
      // Rounding leaves the mean a little off: what is left after subtracting it has a mean of its own.
      const mean = corrected ? overRows("mean", "sum += x[row + k];", [numbers]) : new Float32Array(rows);
      const rest = corrected
        ? overRows("rest", "sum += x[row + k] - mean[this.thread.x];", [numbers, mean])
        : new Float32Array(rows);
      const squares = overRows(
        "squares",
        "const d = x[row + k] - mean[this.thread.x] - rest[this.thread.x]; sum += d * d;",
        [numbers, mean, rest],
      );
      const ones = weight ? inOrder(wasm, weight) : new Float32Array(N).fill(1);
      const zeros = bias ? inOrder(wasm, bias) : new Float32Array(N);
      return putNumbers(wasm, output!, {
        name: "norm",
        source: `function norm(x, mean, rest, squares, weight, bias) {
  const d = x[this.thread.y * this.constants.N + this.thread.x] - mean[this.thread.y] - rest[this.thread.y];
  return d / Math.sqrt(squares[this.thread.y] + this.constants.eps) * weight[this.thread.x] + bias[this.thread.x];
}`,
        constants,
        inputs: [numbers, mean, rest, squares, ones, zeros],
        output: [N, rows, 1],
      });
    };
  return { softmax, layerNorm: norm(true), rmsNorm: norm(false) };
}

/** The largest number of each row, and the sum of e to the distance from it. */
export function softmaxParts(
  { scalars }: Wasm,
  x: Float32Array,
  rows: number,
  N: number,
): [top: Float32Array, total: Float32Array] {
  const constants = { N };
  const top = scalars.run({
    name: "top",
    source: `function top(x) {
  const row = this.thread.x * this.constants.N;
  let most = -3.0e38;
  for (let k = 0; k < this.constants.N; k++) {
    most = Math.max(most, x[row + k]);
  }
  return most;
}`,
    constants,
    inputs: [x],
    output: [rows, 1, 1],
  });
  const total = scalars.run({
    name: "total",
    source: `function total(x, top) {
  const row = this.thread.x * this.constants.N;
  let sum = 0;
  for (let k = 0; k < this.constants.N; k++) {
    sum += Math.exp(x[row + k] - top[this.thread.x]);
  }
  return sum;
}`,
    constants,
    inputs: [x, top],
    output: [rows, 1, 1],
  });
  return [top, total];
}

import { sizeOf, type Kernel, type View } from "@qkv/tensor";
import type { Context } from "../context.js";
import { Params } from "../params.js";
import { bindingsText, gridFor, mainText } from "../wgsl/grid.js";
import { foldText } from "../wgsl/workgroup.js";
import { viewAs } from "./contiguous.js";

/** Inputs that share a scale in 4-bit weights. */
const groupLength = 32;
/** Outputs per panel. */
const panelRows = 8;

/**
 * WGSL that reads the integer weight of output `n` and input `k`. Weights are stored in panels of 8 outputs; a word of a panel
 * has 4 consecutive inputs of an output, with 4 bits 8.
 */
const integerWeightText = (bits: 4 | 8) => {
  const inStep = bits === 8 ? 4 : 8;
  return `fn integerWeight(n: u32, k: u32) -> f32 {
  let word = dataIn[p.dataStart / 4u + (n / ${panelRows}u * p.steps + k / ${inStep}u) * ${panelRows}u + n % ${panelRows}u];
  let byte = word >> (8u * (k % 4u));
  ${
    bits === 8
      ? "return f32(i32(byte << 24u) >> 24u);"
      : "return f32(i32(select(byte >> 4u, byte, k % 8u < 4u) & 15u) - 8);"
  }
}`;
};

/** Products with weights of 8 or 4 bits, which are read in place, and their dequantization. */
export function quantizedKernels(context: Context): Record<string, Kernel<never>> {
  const { store } = context;
  const weightBits = ({ dtype }: View): 4 | 8 => (dtype === "uint8" ? 4 : 8);
  const dequantize = (
    [data, scale]: readonly View[],
    [output]: readonly View[],
    { inputs }: { inputs: number },
  ): boolean => {
    const [N, groups] = scale!.shape as [number, number];
    const bits = weightBits(data!);
    const params = new Params()
      .u32("count", N * inputs)
      .u32("inputs", inputs)
      .u32("groups", groups);
    params.u32("dataStart", data!.offset).u32("scaleStart", scale!.offset).u32("steps", data!.shape[1]!);
    context.engine.record({
      op: "dequantize",
      key: `dequantize:${bits}`,
      text: () => `${params.declaration}
${bindingsText({ dataIn: "u32", scale: "f32" }, { out: "f32" })}
${integerWeightText(bits)}
${mainText(
  64,
  `  let at = group * 64u + thread;
  if (at >= p.count) { return; }
  let n = at / p.inputs;
  let k = at % p.inputs;
  out[at] = scale[p.scaleStart + n * p.groups + ${bits === 8 ? "0u" : `k / ${groupLength}u`}] * integerWeight(n, k);`,
)}`,
      reads: [store.read(data!), store.read(scale!)],
      writes: [store.write(output!)],
      params,
      groups: gridFor(Math.ceil((N * inputs) / 64)),
    });
    return true;
  };
  const quantizedMatmul = (
    [x, data, scale, bias]: readonly View[],
    [output]: readonly View[],
    { activations }: { activations: "float32" | "int8" },
  ): boolean => {
    if (x!.dtype !== "float32" || data!.offset % 4 !== 0) return false;
    const K = x!.shape.at(-1)!;
    const M = sizeOf(x!.shape.slice(0, -1));
    const [row, column] = x!.shape.length === 2 ? (x!.strides as [number, number]) : [K, 1];
    const rows = viewAs(x!, { shape: [M, K], strides: [row, column] });
    if (activations === "float32") return multiply(context, rows, data!, scale!, bias, output!);
    return withQuantizedRows(context, rows, (whole, steps) =>
      multiply(context, whole, data!, scale!, bias, output!, steps),
    );
  };
  return { dequantize, quantizedMatmul };
}

/**
 * Runs `f` with each row quantized to integers from −63 to 63 (ties to even) and the scales of the rows. Rows whose numbers are
 * too small for a scale are passed as they are, with scale 1.
 */
function withQuantizedRows<T>(context: Context, x: View, f: (whole: View, steps: View) => T): T {
  const { store, engine } = context;
  const { subgroups } = engine;
  const [M, K] = x.shape as [number, number];
  const [whole, steps] = [store.make("float32", M * K, undefined), store.make("float32", M, undefined)];
  const wholeView = viewAs(x, { storage: whole, strides: [K, 1], offset: 0 });
  const stepsView = viewAs(x, { storage: steps, shape: [M], strides: [1], offset: 0 });
  const params = new Params().u32("M", M).u32("K", K).u32("start", x.offset);
  params.u32("row", x.strides[0]!).u32("column", x.strides[1]!);
  engine.record({
    op: "quantizedMatmul",
    key: "roundRows",
    text: () => `${params.declaration}
${bindingsText({ x: "f32" }, { whole: "f32", steps: "f32" })}
${foldText("most", "f32", 64, "max(a, b)", subgroups)}
${mainText(
  64,
  `  if (group >= p.M) { return; }
  let first = p.start + group * p.row;
  var partial = 0.0;
  for (var k = thread; k < p.K; k += 64u) { partial = max(partial, abs(x[first + k * p.column])); }
  let largest = most(partial, thread);
  // For rows of zeros or subnormal numbers the factor would overflow.
  let rounds = largest > 2e-37;
  let factor = 63.0 / select(1.0, largest, rounds);
  for (var k = thread; k < p.K; k += 64u) {
    let number = x[first + k * p.column];
    whole[group * p.K + k] = select(number, round(clamp(number * factor, -63.0, 63.0)), rounds);
  }
  if (thread == 0u) { steps[group] = select(1.0, largest / 63.0, rounds); }`,
  subgroups,
)}`,
    reads: [store.read(x)],
    writes: [store.write(wholeView), store.write(stepsView)],
    params,
    groups: gridFor(M),
  });
  try {
    return f(wholeView, stepsView);
  } finally {
    store.release(whole);
    store.release(steps);
  }
}

/** Rows of x per workgroup, which share each read of a weight. */
const rowsPerWorkgroup = 4;
/** Threads among which the inputs of a panel are divided. */
const lanes = 8;

function multiply(
  { store, engine }: Context,
  x: View,
  data: View,
  scale: View,
  bias: View | undefined,
  output: View,
  steps?: View,
): true {
  const [M, K] = x.shape as [number, number];
  const [N, groups] = scale.shape as [number, number];
  const bits = data.dtype === "uint8" ? 4 : 8;
  const params = new Params().u32("M", M).u32("N", N).u32("K", K).u32("groups", groups);
  params.u32("dataStart", data.offset).u32("scaleStart", scale.offset).u32("steps", data.shape[1]!);
  params.u32("xStart", x.offset).u32("row", x.strides[0]!).u32("column", x.strides[1]!);
  if (bias) params.u32("biasStart", bias.offset).u32("biasStep", bias.strides[0]!);
  const reads = { x, dataIn: data, scale, ...(bias && { bias }), ...(steps && { stepsIn: steps }) };
  const rows = Array.from({ length: rowsPerWorkgroup }, (_, r) => r);
  engine.record({
    op: "quantizedMatmul",
    key: `quantizedMatmul:${bits}:${!!bias}:${!!steps}`,
    text: () => `${params.declaration}
${bindingsText(
  Object.fromEntries(Object.keys(reads).map((name) => [name, name === "dataIn" ? "u32" : "f32"])),
  { out: "f32" },
)}
${integerWeightText(bits)}
var<workgroup> sums: array<vec4<f32>, ${lanes * panelRows}>;
@compute @workgroup_size(${lanes * panelRows})
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let column = thread % ${panelRows}u;
  let lane = thread / ${panelRows}u;
  let n = id.x * ${panelRows}u + column;
  let m = id.y * ${rowsPerWorkgroup}u;
  var sum = vec4<f32>();
  if (n < p.N) {
    for (var first = lane * 32u; first < p.K; first += ${32 * lanes}u) {
      let factor = scale[p.scaleStart + n * p.groups + ${bits === 8 ? "0u" : `first / ${groupLength}u`}];
      var part = vec4<f32>();
      for (var k = first; k < min(first + 32u, p.K); k++) {
        let weight = integerWeight(n, k);
        part += weight * vec4<f32>(${rows.map((r) => `x[p.xStart + min(m + ${r}u, p.M - 1u) * p.row + k * p.column]`).join(", ")});
      }
      sum += factor * part;
    }
  }
  sums[thread] = sum;
  workgroupBarrier();
  if (lane != 0u || n >= p.N) { return; }
  var all = vec4<f32>();
  for (var i = 0u; i < ${lanes}u; i++) { all += sums[i * ${panelRows}u + column]; }
  ${rows
    .map(
      (r) =>
        `if (m + ${r}u < p.M) { out[(m + ${r}u) * p.N + n] = all[${r}]${steps ? ` * stepsIn[m + ${r}u]` : ""}${bias ? " + bias[p.biasStart + n * p.biasStep]" : ""}; }`,
    )
    .join("\n  ")}
}`,
    reads: Object.values(reads).map((view) => store.read(view)),
    writes: [store.write(output)],
    params,
    groups: [Math.ceil(N / panelRows), Math.ceil(M / rowsPerWorkgroup), 1],
  });
  return true;
}

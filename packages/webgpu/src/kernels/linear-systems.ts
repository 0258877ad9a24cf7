import { sizeOf, type Kernel, type View } from "@qkv/tensor";
import type { Context } from "../context.js";
import { Params } from "../params.js";
import { bindingsText, gridFor, mainText, threads } from "../wgsl/grid.js";
import { traversal } from "../wgsl/traversal.js";

/** Largest number of workgroups. Each solves systems one after the other, with scratch memory for the factors of one matrix. */
const maxWorkgroups = 64;
/** Largest number of unknowns: the solution is in workgroup memory. */
const maxUnknowns = 2048;

/** Kernels that invert triangular matrices and solve linear systems, in batches. */
export function linearSystemKernels(context: Context): Record<string, Kernel<never>> {
  return {
    unitLowerInverse: ([a]: readonly View[], [output]: readonly View[]) => invert(context, a!, output!),
    solvePositiveDefinite: ([a, b]: readonly View[], [output]: readonly View[]) =>
      solve(context, a!, b!, output!),
  };
}

/** (I + A)⁻¹ by forward substitution, one thread per column. */
function invert({ store, engine }: Context, a: View, output: View): boolean {
  if (a.dtype !== "float32") return false;
  const size = a.shape.at(-1)!;
  const batches = a.shape.slice(0, -2);
  const count = sizeOf(batches) * size;
  const [down, right] = a.strides.slice(-2) as [number, number];
  const params = new Params().u32("count", count).u32("size", size).u32("down", down).u32("right", right);
  const op = "unitLowerInverse";
  const offsets = traversal(op, params, "batch", batches, {
    aAt: { strides: a.strides.slice(0, -2), offset: a.offset },
  });
  engine.record({
    op,
    key: `${op}:${offsets.rank}`,
    text: () => `${params.declaration}
${bindingsText({ a: "f32" }, { out: "f32" })}
${mainText(
  threads,
  `  let n = group * ${threads}u + thread;
  if (n >= p.count) { return; }
  let c = n % p.size;
  ${offsets.text("(n / p.size)")}
  let to = (n / p.size) * p.size * p.size + c;
  for (var r = 0u; r < p.size; r++) {
    var x = select(0.0, 1.0, r == c);
    for (var j = c; j < r; j++) { x -= a[u32(aAt) + r * p.down + j * p.right] * out[to + j * p.size]; }
    out[to + r * p.size] = x;
  }`,
)}`,
    reads: [store.read(a)],
    writes: [store.write(output)],
    params,
    groups: gridFor(Math.ceil(count / threads)),
  });
  return true;
}

/** Solves A x = b by Cholesky factorization, column by column, one workgroup per system. A and b are contiguous. */
function solve({ store, engine }: Context, a: View, b: View, output: View): boolean {
  const size = b.shape.at(-1)!;
  if (a.dtype !== "float32" || size > maxUnknowns) return false;
  const op = "solvePositiveDefinite";
  const systems = sizeOf(b.shape.slice(0, -1));
  const groups = Math.min(systems, maxWorkgroups);
  const fault = engine.faults(op, "pivot");
  const params = new Params().u32("systems", systems).u32("groups", groups).u32("size", size);
  params.u32("aStart", a.offset).u32("bStart", b.offset).u32("fault", fault.code);
  const factors = engine.buffers.allocate(op, 4 * groups * size * size);
  try {
    engine.record({
      op,
      key: `${op}:${size}`,
      text: () => solveText(params, size),
      reads: [store.read(a), store.read(b)],
      writes: [factors, store.write(output), fault.buffer],
      params,
      groups: gridFor(groups),
    });
  } finally {
    engine.buffers.free(factors);
  }
  return true;
}

const solveText = (params: Params, size: number) => `${params.declaration}
${bindingsText({ a: "f32", b: "f32" }, { lower: "f32", out: "f32", faults: "atomic<u32>" })}
var<workgroup> rest: array<f32, ${Math.max(1, size)}>;
${mainText(
  threads,
  `  let K = p.size;
  let matrixAt = group * K * K;
  for (var n = group; n < p.systems; n += p.groups) {
    let matrix = p.aStart + n * K * K;
    for (var j = 0u; j < K; j++) {
      // Each thread computes the pivot, of which all need the root.
      var pivot = a[matrix + j * K + j];
      for (var k = 0u; k < j; k++) { pivot -= lower[matrixAt + j * K + k] * lower[matrixAt + j * K + k]; }
      if (pivot <= 0.0) { atomicStore(&faults[0], p.fault); }
      let root = sqrt(pivot);
      if (thread == 0u) { lower[matrixAt + j * K + j] = root; }
      for (var i = j + 1u + thread; i < K; i += ${threads}u) {
        var x = a[matrix + i * K + j];
        for (var k = 0u; k < j; k++) { x -= lower[matrixAt + i * K + k] * lower[matrixAt + j * K + k]; }
        lower[matrixAt + i * K + j] = x / root;
      }
      storageBarrier();
    }
    for (var i = thread; i < K; i += ${threads}u) { rest[i] = b[p.bStart + n * K + i]; }
    workgroupBarrier();
    for (var i = 0u; i < K; i++) {
      let x = rest[i] / lower[matrixAt + i * K + i];
      workgroupBarrier();
      if (thread == 0u) { rest[i] = x; }
      for (var k = i + 1u + thread; k < K; k += ${threads}u) { rest[k] -= lower[matrixAt + k * K + i] * x; }
      workgroupBarrier();
    }
    for (var m = 0u; m < K; m++) {
      let i = K - 1u - m;
      let x = rest[i] / lower[matrixAt + i * K + i];
      workgroupBarrier();
      if (thread == 0u) { rest[i] = x; }
      for (var k = thread; k < i; k += ${threads}u) { rest[k] -= lower[matrixAt + i * K + k] * x; }
      workgroupBarrier();
    }
    for (var i = thread; i < K; i += ${threads}u) { out[n * K + i] = rest[i]; }
    storageBarrier();
    workgroupBarrier();
  }`,
)}`;

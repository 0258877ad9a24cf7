import "@qkv/test-support/allclose";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as convolutions from "../convolutions.js";
import { tensor } from "../create.js";
import * as fourier from "../fft.js";
import * as tensorPackage from "../index.js";
import * as losses from "../losses.js";
import type { Tensor } from "../tensor.js";
import { tensorsOf } from "../tree.js";
import { vmap } from "./vmap.js";

const t = tensorPackage;
const { grad, mul, randn, stack, sum } = tensorPackage;

const float = (shape: number[], seed = 1) => randn(shape, { seed, dtype: "float64" });
const positive = (shape: number[], seed = 1) => t.add(t.abs(float(shape, seed)), 0.1);
const ids = (shape: number[], below: number, seed = 1) => t.randint(shape, { low: 0, high: below, seed });
const bools = (shape: number[], seed = 1) => t.greater(float(shape, seed), 0);

type Case = readonly [name: string, f: (...xs: Tensor[]) => unknown, ...args: Tensor[]];
/** Cases as `test.each` hands them on. */
const each = (list: readonly Case[]) => list.map(([name, f, ...args]) => ({ name, f, args }));
const N = 3;

/** Every function of tensors, on arguments whose first axis is that of the examples. */
const [x, y, z] = [float([N, 4, 2], 1), float([N, 4, 2], 2), float([N, 2, 5], 3)];
const [row, p] = [float([N, 6], 4), positive([N, 4, 2], 5)];
const unary = [
  "abs",
  "ceil",
  "cos",
  "elu",
  "erf",
  "exp",
  "expm1",
  "floor",
  "gelu",
  "isFinite",
  "isNaN",
  "leakyRelu",
];
const more = [
  "logSigmoid",
  "mish",
  "neg",
  "relu",
  "round",
  "sigmoid",
  "sign",
  "silu",
  "sin",
  "softplus",
  "square",
];
const ofPositive = ["log", "log1p", "log2", "rsqrt", "sqrt", "reciprocal", "tan", "tanh", "trunc", "swish"];
const binary = [
  "add",
  "sub",
  "mul",
  "div",
  "maximum",
  "minimum",
  "floorDivide",
  "remainder",
  "atan2",
  "equal",
];
const compared = ["notEqual", "less", "lessEqual", "greater", "greaterEqual"];
const reductions = [
  "sum",
  "mean",
  "prod",
  "max",
  "min",
  "argmax",
  "argmin",
  "norm",
  "variance",
  "std",
  "logSumExp",
];
const alongAxis = ["softmax", "logSoftmax", "sort", "argSort", "normalize"];
const named = t as unknown as Record<string, (...args: unknown[]) => unknown>;
const cases: Case[] = [
  ...[...unary, ...more].map((name): Case => [name, (a) => named[name]!(a), x]),
  ...ofPositive.map((name): Case => [name, (a) => named[name]!(a), p]),
  ...[...binary, ...compared].map((name): Case => [name, (a, b) => named[name]!(a, b), x, y]),
  ...[...binary, ...compared].map((name): Case => [name, (a, b) => named[name]!(a, b), x, float([N, 2], 7)]),
  ...[...binary, ...compared].map((name): Case => [name, (a, b) => named[name]!(a, b), float([N], 7), x]),
  ...binary.slice(0, 4).map((name): Case => [name, (a) => named[name]!(a, float([3, 4, 2])), x]),
  ...reductions.map((name): Case => [name, (a) => named[name]!(a), x]),
  ...reductions.map((name): Case => [name, (a) => named[name]!(a, { axis: 0, keepDims: true }), x]),
  ...reductions.map((name): Case => [name, (a) => named[name]!(a, { axis: -1 }), x]),
  ...["all", "any"].map((name): Case => [name, (a) => named[name]!(a, { axis: 0 }), bools([N, 4, 2])]),
  ...alongAxis.map((name): Case => [name, (a) => named[name]!(a, { axis: 0 }), x]),
  ...["cumsum", "cumprod", "cummax"].map((name): Case => [name, (a) => named[name]!(a, 0), x]),
  ...["logicalAnd", "logicalOr"].map((name): Case => [
    name,
    (a, b) => named[name]!(a, b),
    bools([N, 4]),
    bools([N, 4], 2),
  ]),
  ["logicalNot", (a) => t.logicalNot(a), bools([N, 4])],
  ["pow", (a) => t.pow(a, 3), p],
  ["clamp", (a) => t.clamp(a, { min: -0.5, max: 0.5 }), x],
  ["cast", (a) => t.cast(a, "int32"), x],
  ["allClose", (a, b) => t.allClose(a, b), x, y],
  ["clone", (a) => t.clone(a), x],
  ["contiguous", (a) => t.contiguous(t.transpose(a)), x],
  ["where", (c, a, b) => t.where(c, a, b), bools([N, 4, 2]), x, y],
  ["where", (c, a) => t.where(c, a, 0), bools([N, 2]), x],
  ["maskedFill", (a, c) => t.maskedFill(a, c, 7), x, bools([N, 4, 2])],
  ["topK", (a) => t.topK(a, 2, { axis: 0 }), x],
  ["oneHot", (a) => t.oneHot(a, 5), ids([N, 4], 5)],
  ["zerosLike", (a) => t.zerosLike(a), x],
  ["onesLike", (a) => t.add(t.onesLike(a), a), x],
  ["reshape", (a) => t.reshape(a, [2, 4]), x],
  ["reshape", (a) => t.reshape(t.transpose(a), [-1]), x],
  ["flatten", (a) => t.flatten(a), x],
  ["permute", (a) => t.permute(a, [1, 0]), x],
  ["transpose", (a) => t.transpose(a), x],
  ["moveAxis", (a) => t.moveAxis(a, 0, 1), x],
  ["expandDims", (a) => t.expandDims(a, 1), x],
  ["squeeze", (a) => t.squeeze(t.expandDims(a, 0)), x],
  ["broadcastTo", (a) => t.broadcastTo(a, [3, 4, 2]), x],
  ["broadcastTo", (a) => t.broadcastTo(t.reshape(a, [6, 1]), [6, 3]), row],
  ["slice", (a) => t.slice(a, 0, 1, 3), x],
  ["stridedSlice", (a) => t.stridedSlice(a, [[0, 4, 2]]), x],
  ["split", (a) => t.split(a, 2, 0), x],
  ["unstack", (a) => t.unstack(a, 0), x],
  ["concat", (a, b) => t.concat([a, b, float([1, 2])], 0), x, y],
  ["stack", (a, b) => t.stack([a, b], 1), x, y],
  ["tile", (a) => t.tile(a, [2, 1]), x],
  ["repeat", (a) => t.repeat(a, 2, 0), x],
  ["pad", (a) => t.pad(a, 1, 1, 2, 9), x],
  ["flip", (a) => t.flip(a, 0), x],
  ["roll", (a) => t.roll(a, 1, 0), x],
  ["tril", (a) => t.tril(a), x],
  ["triu", (a) => t.triu(a), x],
  ["diag", (a) => t.diag(a), row],
  ["diagonal", (a) => t.diagonal(a), float([N, 3, 3])],
  ["trace", (a) => t.trace(a), float([N, 3, 3])],
  ["meshgrid", (a, b) => t.meshgrid([a, b]), row, row],
  ["take", (a) => t.take(a, 0, tensor([3, 0], { dtype: "int32" })), x],
  ["take", (i) => t.take(float([5, 3, 2]), 1, i), ids([N, 2, 4], 3)],
  ["take", (a, i) => t.take(a, 0, i), x, ids([N, 5], 4)],
  ["gather", (a, i) => t.gather(a, 0, i), x, ids([N, 3, 2], 4)],
  ["scatter", (a, i, s) => t.scatter(a, 0, i, s), x, ids([N, 3, 2], 4), float([N, 3, 2], 6)],
  [
    "scatter",
    (a, i, s) => t.scatter(a, 0, i, s, { reduce: "add" }),
    x,
    ids([N, 3, 2], 4),
    float([N, 3, 2], 6),
  ],
  [
    "scatter",
    (a, i, s) => t.scatter(a, 0, i, s, { reduce: "max" }),
    x,
    ids([N, 3, 2], 4),
    float([N, 3, 2], 6),
  ],
  [
    "scatter",
    (a, i, s) => t.scatter(a, 0, i, s, { reduce: "mean" }),
    x,
    ids([N, 3, 2], 4),
    float([N, 3, 2], 6),
  ],
  ["embedding", (i) => t.embedding(float([5, 3]), i), ids([N, 4], 5)],
  ["embedding", (a, i) => t.embedding(a, i), x, ids([N, 3], 4)],
  ["matmul", (a, b) => t.matmul(a, b), x, z],
  ["matmul", (a) => t.matmul(a, float([2, 3])), x],
  ["matmul", (a) => t.matmul(float([2, 5, 4]), a), x],
  ["matmul", (a) => t.matmul(a, float([3, 2, 5])), x],
  ["matmul", (a, b) => t.matmul(a, b), float([N, 2], 8), z],
  ["linear", (a, w, b) => t.linear(a, w, b), x, float([N, 3, 2], 9), float([N, 3], 4)],
  ["linear", (a) => t.linear(a, float([3, 2]), float([3])), x],
  ["linear", (w) => t.linear(float([4, 2]), w, float([3])), float([N, 3, 2])],
  ["linear", (b) => t.linear(float([4, 2]), float([3, 2]), b), float([N, 3])],
  ["outer", (a, b) => t.outer(a, b), row, row],
  ["tensordot", (a, b) => t.tensordot(a, b, 1), x, z],
  ["einsum", (a, b) => t.einsum("ij,jk->ki", a, b), x, z],
  ["einsum", (a, b) => t.einsum("ij,ij->j", a, b), x, y],
  ["layerNorm", (a) => t.layerNorm(a, float([2]), float([2])), x],
  ["layerNorm", (a, w) => t.layerNorm(a, w), x, float([N, 2])],
  ["rmsNorm", (a) => t.rmsNorm(a, float([2])), x],
  ["groupNorm", (a) => t.groupNorm(t.expandDims(a, 0), 2), x],
  ["glu", (a) => t.glu(a), x],
  ["swiglu", (a, b) => t.swiglu(a, b), x, y],
  ["dropout", (a) => t.dropout(a, { rate: 0.5, seed: 1 }), x],
  ["crossEntropy", (a, i) => t.crossEntropy(a, i), x, ids([N, 4], 2)],
  ["crossEntropy", (a) => t.crossEntropy(a, ids([4], 2), { reduction: "none" }), x],
  ["stopGradient", (a) => mul(t.stopGradient(mul(a, a)), a), x],
  ["remat", (a) => t.remat((b: Tensor) => t.exp(mul(b, b)))(a), x],
  ["causalConv", (a) => t.causalConv(a, float([5, 1, 3])).output, float([N, 1, 5, 2])],
  ["scatterUpdate", (a, b) => t.scatterUpdate(a, b, { axis: 1 }), float([N, 1, 4, 2]), float([N, 1, 2, 2])],
  ["conv1d", (a) => convolutions.conv1d(a, float([3, 2, 2])), float([N, 1, 2, 5])],
  ["conv2d", (a, w) => convolutions.conv2d(a, w), float([N, 1, 2, 5, 4]), float([N, 3, 2, 2, 2])],
  ["maxPool1d", (a) => convolutions.maxPool1d(a, 2), float([N, 1, 2, 6])],
  ["maxPool2d", (a) => convolutions.maxPool2d(a, 2), float([N, 1, 2, 6, 4])],
  ["avgPool1d", (a) => convolutions.avgPool1d(a, 2), float([N, 1, 2, 6])],
  ["avgPool2d", (a) => convolutions.avgPool2d(a, 2), float([N, 1, 2, 6, 4])],
  ["fft", (a) => fourier.fft({ real: a, imag: mul(a, 2) }), row],
  ["ifft", (a) => fourier.ifft({ real: a, imag: mul(a, 2) }), row],
  ["rfft", (a) => fourier.rfft(a), row],
  ["irfft", (a) => fourier.irfft(fourier.rfft(a)), row],
  ["mseLoss", (a, b) => losses.mseLoss(a, b), x, y],
  ["l1Loss", (a, b) => losses.l1Loss(a, b), x, y],
  ["huberLoss", (a, b) => losses.huberLoss(a, b), x, y],
  ["binaryCrossEntropyWithLogits", (a, b) => losses.binaryCrossEntropyWithLogits(a, t.sigmoid(b)), x, y],
  ["klDivergence", (a, b) => losses.klDivergence(t.logSoftmax(a), t.softmax(b)), x, y],
  ["cosineSimilarity", (a, b) => losses.cosineSimilarity(a, b), x, y],
  [
    "cosineEmbeddingLoss",
    (a, b) => losses.cosineEmbeddingLoss(a, b, tensor([1, -1, 1, 1], { dtype: "int32" })),
    x,
    y,
  ],
  ["tripletMarginLoss", (a, b) => losses.tripletMarginLoss(a, b, float([4, 2])), x, y],
  ["infoNce", (a, b) => losses.infoNce(a, b), x, y],
];

/** Those that read numbers, or write. */
const refused: Case[] = [
  ["item", (a) => t.item(sum(a)), x],
  ["nonzero", (a) => t.nonzero(a), x],
  ["unique", (a) => t.unique(a), row],
  ["write", (a) => void t.write(t.clone(a), 0, 0, a), x],
];

/** Functions that take no tensors of examples. */
const makers =
  "tensor zeros ones full arange linspace eye randn uniform randint permutation bernoulli categorical";
const transforms = "grad valueAndGrad vjp jvp jacobian checkGradient vmap";

const example = (all: Tensor, n: number) => t.reshape(t.slice(all, 0, n, n + 1), all.shape.slice(1));

describe("vmap", () => {
  test("every exported function has a test case", async () => {
    const { names } = (await import("../../../../scripts/names.mjs")) as {
      names(): { entry: string; name: string }[];
    };
    const known = new Set([...cases, ...refused].map(([name]) => name));
    const other = new Set(`${makers} ${transforms}`.split(" "));
    const entries = ["@qkv/tensor", "@qkv/tensor/convolutions", "@qkv/tensor/fft", "@qkv/tensor/losses"];
    const lacking = names().filter(
      ({ entry, name }) => entries.includes(entry) && !known.has(name) && !other.has(name),
    );
    expect(lacking.map(({ name }) => name)).toEqual([]);
  });

  test.each(each(cases))("of $name equals the function of each example, stacked", ({ f, args }) => {
    const all = tensorsOf(vmap(f)(...args));
    const each = Array.from({ length: N }, (_, n) => tensorsOf(f(...args.map((x) => example(x, n)))));
    expect(all.length).toBeGreaterThan(0);
    all.forEach((result, i) => {
      const expected = stack(each.map((one) => one[i]!));
      expect([result.shape, result.dtype]).toEqual([expected.shape, expected.dtype]);
      expect(result.data).toBeAllclose(expected.data, { rtol: 1e-12, atol: 1e-12 });
    });
  });

  test.each(each(cases.filter(([name]) => name !== "remat")))(
    "grad of vmap of $name is that of the stack",
    ({ f, args }) => {
      const loss = (made: unknown) =>
        tensorsOf(made)
          .filter(({ dtype }) => dtype === "float64")
          .reduce<Tensor>(
            (total, y, i) => t.add(total, sum(mul(y, float([...y.shape], 40 + i)))),
            tensor(0, { dtype: "float64" }),
          );
      const total = (g: (...xs: Tensor[]) => unknown) => (xs: Tensor[]) => loss(g(...xs));
      const stacked = (...xs: Tensor[]) => {
        const each = Array.from({ length: N }, (_, n) => tensorsOf(f(...xs.map((x) => example(x, n)))));
        return each[0]!.map((_, i) => stack(each.map((one) => one[i]!)));
      };
      let expected: Tensor[];
      try {
        expected = grad(total(stacked))(args);
      } catch (error) {
        expect(() => grad(total(vmap(f)))(args)).toThrow((error as Error).message);
        return;
      }
      const made = grad(total(vmap(f)))(args);
      made.forEach((x, i) => expect(x.data).toBeAllclose(expected[i]!.data, { rtol: 1e-9, atol: 1e-9 }));
    },
  );

  test.each(each(cases))("vmap of grad of $name equals the gradient of each example", ({ f, args }) => {
    const loss = (xs: Tensor[]) =>
      tensorsOf(f(...xs))
        .filter(({ dtype }) => dtype === "float64")
        .reduce<Tensor>((total, y) => t.add(total, sum(mul(y, y))), tensor(0, { dtype: "float64" }));
    const gradients = grad(loss);
    let each: Tensor[][];
    try {
      each = Array.from({ length: N }, (_, n) => gradients(args.map((x) => example(x, n))));
    } catch (error) {
      expect(() => vmap(gradients)(args)).toThrow((error as Error).message);
      return;
    }
    vmap(gradients)(args).forEach((x, i) =>
      expect(x.data).toBeAllclose(stack(each.map((one) => one[i]!)).data, { rtol: 1e-9, atol: 1e-9 }),
    );
  });

  test.each(each(refused))("refuses $name with an error that names it", ({ f, args }) => {
    expect(() => vmap(f)(...args)).toThrow(
      /^vmap: `f` is "a function that (reads the numbers|changes a tensor).*\nFix: /,
    );
  });

  test("property: inAxes and outAxes select the batch axes, also of nested params", () => {
    const axis = fc.integer({ min: -3, max: 2 });
    fc.assert(
      fc.property(axis, axis, fc.nat(1e6), (inAxis, outAxis, seed) => {
        const a = float([3, 4, 2], seed);
        const at = (axis: number) => (axis < 0 ? axis + 3 : axis);
        const first = t.moveAxis(a, at(inAxis), 0);
        const f = ({ a }: { a: Tensor }) => [t.softmax(a, { axis: 0 }), t.exp(a)] as const;
        const made = vmap(f, { inAxes: [{ a: inAxis }], outAxes: [outAxis, 0] })({ a });
        const expected = t.softmax(first, { axis: 1 });
        expect(made[0].data).toBeAllclose(t.moveAxis(expected, 0, at(outAxis)).data, {
          atol: 1e-12,
          rtol: 0,
        });
        expect(made[1].data).toEqual(t.exp(first).data);
      }),
    );
  });

  test("vmap of vmap, of vjp and of jvp equals a loop over the examples", () => {
    const [a, b] = [float([2, 3, 4]), float([5, 4], 2)];
    const outer = vmap(
      vmap((u: Tensor, v: Tensor) => sum(mul(u, v)), { inAxes: [null, 0] }),
      { inAxes: [0, null] },
    );
    const all = vmap(outer, { inAxes: [0, null] })(a, b);
    expect(all.shape).toEqual([2, 3, 5]);
    expect(all.data).toBeAllclose(t.matmul(a, t.transpose(b)).data, { atol: 1e-12, rtol: 0 });

    const along = vmap((u: Tensor, du: Tensor) => t.jvp((w: Tensor) => t.tanh(w), u, du).tangent)(b, b);
    expect(along.data).toBeAllclose(t.jvp((w: Tensor) => t.tanh(w), b, b).tangent.data, {
      atol: 1e-12,
      rtol: 0,
    });
    const back = vmap((u: Tensor, dy: Tensor) => t.vjp((w: Tensor) => t.softmax(w), u).pullback(dy))(b, b);
    expect(back.data).toBeAllclose(t.vjp((w: Tensor) => t.softmax(w), b).pullback(b).data, {
      atol: 1e-12,
      rtol: 0,
    });
    const captured = float([4], 3);
    const nested = vmap(vmap((u: Tensor) => mul(u, captured)))(a);
    expect(nested.data).toEqual(mul(a, captured).data);
  });

  test("gradients reach tensors that f captures, through one vmap and through two", () => {
    const [w, a] = [float([4], 3), float([2, 3, 4])];
    const once = grad((w: Tensor) => sum(vmap((u: Tensor) => t.tanh(mul(u, w)))(a)))(w);
    const twice = grad((w: Tensor) => sum(vmap(vmap((u: Tensor) => t.tanh(mul(u, w))))(a)))(w);
    const between = vmap(
      grad((w: Tensor, rows: Tensor) => sum(vmap((u: Tensor) => t.tanh(mul(u, w)))(rows))),
      {
        inAxes: [null, 0],
      },
    )(w, a);
    const expected = grad((w: Tensor) => sum(t.tanh(mul(a, w))))(w);
    const near = { atol: 1e-12, rtol: 0 };
    for (const made of [once, twice, sum(between, { axis: 0 })])
      expect(made.data).toBeAllclose(expected.data, near);
  });

  test("results that do not depend on the example are repeated, no examples give an empty result, and invalid axes are refused", () => {
    const a = float([3, 2]);
    expect(vmap((_: Tensor) => tensor([1, 2]))(a).toNested()).toEqual([
      [1, 2],
      [1, 2],
      [1, 2],
    ]);
    expect(vmap((_: Tensor) => tensor([1, 2]), { outAxes: null })(a).toNested()).toEqual([1, 2]);
    expect(vmap((x: Tensor) => t.dropout(t.exp(x), { rate: 0.5, seed: 1 }))(float([0, 2])).shape).toEqual([
      0, 2,
    ]);
    expect(() => vmap((x: Tensor) => x, { outAxes: null })(a)).toThrow(
      /vmap: `outAxes` is null, expected an axis/,
    );
    expect(() => vmap((x: Tensor) => x, { inAxes: null })(a)).toThrow(
      /vmap: `inAxes` is null, expected an axis/,
    );
    expect(() => vmap((x: Tensor, y: Tensor) => mul(x, y))(a, float([2, 2]))).toThrow(
      /vmap: `args` has shape \[2, 2\], expected 3 examples along axis 0/,
    );
    expect(() => vmap((x: Tensor) => x, { inAxes: [0, 0] })(a)).toThrow(
      /expected an integer or null, or one for each/,
    );
    let kept: Tensor | undefined;
    vmap((x: Tensor) => (kept = t.exp(x)))(a);
    expect(() => t.exp(kept!)).toThrow(/vmap: `f` is "exp on a tensor of one example, after the call/);
    expect(() => kept!.data).toThrow(/reads the numbers/);
  });

  test("elementwise ops and matmul run once for all examples", () => {
    const { calls } = t.count(() => vmap((u: Tensor) => t.softmax(t.matmul(u, float([2, 3]))))(x));
    expect([calls["matmul"], calls["softmax"]]).toEqual([1, 1]);
  });
});

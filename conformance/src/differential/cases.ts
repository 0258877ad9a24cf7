// Computations by kernel name, each of which runs that kernel on a device.
import { chunkwise, rope } from "@qkv/attention";
import * as ops from "@qkv/tensor";
import { resident, tensor, type Tensor } from "@qkv/tensor";
import { adam, adamW, sgd, type Optimizer } from "@qkv/tensor/optimizers";
import { quantizedLinear, quantizeWeight } from "@qkv/tensor/quantized";
import { attentionCase } from "./attention-case.js";
import { exact, near, sums, twoUnits, type Case, type Tolerance } from "./case.js";
import { kindOf, kinds, laidOut, length, numbers, shapeOf, type Move } from "./inputs.js";
import type { Random } from "./random.js";

function unary(f: (x: Tensor) => Tensor, tolerance: Tolerance) {
  return (random: Random): Case => ({
    inputs: [laidOut(random, shapeOf(random), kindOf(random))],
    f,
    tolerance,
  });
}

function binary(f: (a: Tensor, b: Tensor) => Tensor) {
  return (random: Random): Case => {
    const shape = shapeOf(random);
    const smaller = shape.slice(random(shape.length + 1)).map((n) => (random(3) ? n : 1));
    const inputs = [laidOut(random, shape, kindOf(random)), laidOut(random, smaller, kindOf(random))];
    return { inputs: random(2) ? inputs : inputs.toReversed(), f, tolerance: exact };
  };
}

/** Rows and, if requested, a weight and a bias of the length of a row. */
function rows(f: (...inputs: Tensor[]) => Tensor, more: number, kindsOfRows = Object.keys(kinds)) {
  return (random: Random): Case => {
    const shape = random(3) ? [length(random), length(random)] : random.choose([130, 700], [3, 33_000]);
    const gains = Array.from({ length: more }, () => laidOut(random, [shape[1]!], "ordinary"));
    const inputs = [laidOut(random, shape, random.choose(...kindsOfRows)), ...gains];
    return { inputs, f, tolerance: { relative: 2e-5, absolute: 2e-5 } };
  };
}

export const cases: Record<string, (random: Random) => Case> = {
  abs: unary(ops.abs, exact),
  add: binary(ops.add),
  ceil: unary(ops.ceil, exact),
  concat(random) {
    const shape = [length(random), length(random), length(random)];
    const axis = random(3);
    const part = () =>
      laidOut(
        random,
        shape.map((n, i) => (i === axis ? length(random) : n)),
        kindOf(random),
      );
    const inputs = Array.from({ length: 1 + random(3) }, part);
    return { inputs, f: (...inputs) => ops.concat(inputs, axis), tolerance: exact };
  },
  copy: (random) => ({
    inputs: [laidOut(random, shapeOf(random), kindOf(random))],
    f: ops.contiguous,
    tolerance: exact,
  }),
  div: binary(ops.div),
  dropout: (random) => {
    const options = { rate: random.choose(0.1, 0.5, 0.999), seed: random(2 ** 31) };
    const inputs = [laidOut(random, shapeOf(random), kindOf(random))];
    return { inputs, f: (x) => ops.dropout(x, options), tolerance: twoUnits };
  },
  equal: binary(ops.equal),
  exp: unary(ops.exp, twoUnits),
  floor: unary(ops.floor, exact),
  gelu: unary(ops.gelu, near),
  geluTanh: unary((x) => ops.gelu(x, { approximate: "tanh" }), near),
  greater: binary(ops.greater),
  greaterEqual: binary(ops.greaterEqual),
  less: binary(ops.less),
  lessEqual: binary(ops.lessEqual),
  log: unary(ops.log, { relative: 2.4e-7, absolute: 6e-8 }),
  maximum: binary(ops.maximum),
  minimum: binary(ops.minimum),
  mul: binary(ops.mul),
  neg: unary(ops.neg, exact),
  notEqual: binary(ops.notEqual),
  reciprocal: unary(ops.reciprocal, exact),
  pad(random) {
    const shape = [length(random), length(random), length(random)];
    const [axis, before, after, value] = [random(3), length(random), length(random), random.choose(0, 2.5)];
    return {
      inputs: [laidOut(random, shape, kindOf(random))],
      f: (x) => ops.pad(x!, axis, before, after, value),
      tolerance: exact,
    };
  },
  relu: unary(ops.relu, exact),
  rmsNorm: rows((x, gain) => ops.rmsNorm(x, gain!), 1),
  rsqrt: unary(ops.rsqrt, twoUnits),
  sigmoid: unary(ops.sigmoid, near),
  sign: unary(ops.sign, exact),
  silu: unary(ops.silu, near),
  softplus: unary(ops.softplus, near),
  softmax: rows((x) => ops.softmax(x), 0),
  sqrt: unary(ops.sqrt, exact),
  sub: binary(ops.sub),
  swish: unary((x) => ops.swish(x, { alpha: 1.7 }), near),
  tanh: unary(ops.tanh, near),
  where(random) {
    const shape = shapeOf(random);
    const inputs = [0, 1, 2].map(() => laidOut(random, shape, kindOf(random)));
    return { inputs, f: (a, b, c) => ops.where(ops.greater(a!, 0), b!, c!), tolerance: exact };
  },
  matmul(random) {
    const [M, N, K] = random(3)
      ? [length(random), length(random), length(random)]
      : [random.choose(1, 70, 200), 150, 1030];
    const batch = random.choose<number[]>([], [], [3], [2, 1]);
    const kind = random.choose("ordinary", "denormal", "infinite", "not a number");
    const a = laidOut(random, [...batch, M!, K!], kind);
    const b = laidOut(random, [...random.choose(batch, []), K!, N!], random.choose("ordinary", kind));
    return { inputs: [a, b], f: ops.matmul, tolerance: { relative: 1e-5, absolute: 2e-6 * K! } };
  },
  linear(random) {
    const [M, N, K] = random(3)
      ? [length(random), length(random), length(random)]
      : [random.choose(1, 70), 150, 1030];
    const batch = random.choose<number[]>([], [], [1], [2]);
    const kind = random.choose("ordinary", "denormal", "infinite", "not a number");
    const x = laidOut(random, [...batch, M!, K!], kind);
    const weight = laidOut(random, [N!, K!], random.choose("ordinary", kind));
    const bias = random(2) ? [laidOut(random, [N!], "ordinary")] : [];
    const f = (...[x, weight, bias]: Tensor[]) => ops.linear(x!, weight!, bias);
    return { inputs: [x, weight, ...bias], f, tolerance: { relative: 1e-5, absolute: 2e-6 * K! } };
  },
  sum: reduction(ops.sum),
  mean: reduction(ops.mean),
  max: reduction(ops.max),
  min: reduction(ops.min),
  sumTo(random) {
    const shape = shapeOf(random);
    const inputs = [laidOut(random, shape, "ordinary"), laidOut(random, shape.slice(1), "ordinary")];
    // The gradient of a broadcast operand.
    const f = (a: Tensor, b: Tensor) => ops.grad((b: Tensor) => ops.sum(ops.mul(ops.add(a, b), a)))(b);
    return { inputs, f: (a, b) => f(a!, b!), tolerance: sums };
  },
  geluSlope: unary((x) => ops.grad((x: Tensor) => ops.sum(ops.gelu(x)))(x), near),
  geluTanhSlope: unary(
    (x) => ops.grad((x: Tensor) => ops.sum(ops.gelu(x, { approximate: "tanh" })))(x),
    near,
  ),
  siluSlope: unary((x) => ops.grad((x: Tensor) => ops.sum(ops.silu(x)))(x), near),
  layerNorm: rows((x, gain, shift) => ops.layerNorm(x, gain, shift), 2, [
    "ordinary",
    "denormal",
    "not a number",
  ]),
  crossEntropy: (random) => crossEntropyCase(random, (logits, targets) => ops.crossEntropy(logits, targets)),
  crossEntropyBackward: crossEntropyGradients,
  targetWeights: crossEntropyGradients,
  take: (random) => takeCase(random, (table, ids) => ops.take(table, 0, ids)),
  takeBackward: (random) =>
    takeCase(random, (table, ids) =>
      ops.grad((table: Tensor) => ops.sum(ops.mul(ops.take(table, 0, ids), ops.take(table, 0, ids))))(table),
    ),
  rotate(random) {
    const [T, D] = [random.choose(1, 5, 64, 300), random.choose(2, 8, 64)];
    const { apply } = rope({ headDim: D, layout: random.choose("half", "interleaved") });
    const start = random(9);
    const x = laidOut(
      random,
      [1 + random(2), 1 + random(3), T, D],
      random.choose("ordinary", "denormal", "infinite", "not a number"),
    );
    return { inputs: [x], f: (x) => apply(x!, { start }), tolerance: near };
  },
  scan(random) {
    const [heads, T] = [[1 + random(2), 1 + random(3)], random.choose(1, 3, 17, 130)];
    const [K, V] = [random.choose(1, 8, 64), random.choose(1, 5, 64)];
    const of = (...shape: number[]) => laidOut(random, [...heads, ...shape], "ordinary");
    const [decays, erases] = [random(2) > 0, random(2) > 0];
    const reads = random.choose("before" as const, "after" as const);
    const short = (x: Tensor) => ops.mul(x, 0.2 / Math.sqrt(K)); // such an erasure lets no state grow
    return {
      inputs: [of(T, K), of(T, K), of(T, V), of(K, V), of(T, 1)],
      f(query, key, value, state, decay) {
        const [k, logs] = [short(key!), ops.neg(ops.abs(decay!))];
        const steps = { query: query!, key: k, value: value!, decay: decays ? logs : undefined, reads };
        const scanned = chunkwise()({ ...steps, erase: erases ? k : undefined }, state!);
        const flat = [scanned.output, scanned.state].map((x) => ops.reshape(x, [-1]));
        return ops.concat(flat, 0);
      },
      tolerance: sums,
    };
  },
  write(random) {
    const axis = random(4),
      start = random(3);
    const shape = [1 + random(2), length(random), length(random), random.choose(1, 2, 8, 64)];
    const room = shape.map((n, i) => (i === axis ? n + start + 1 : n));
    const x = laidOut(random, shape, kindOf(random));
    const f = (x: Tensor) => {
      const buffer = ops.zeros(room).to(x.device);
      ops.write(buffer, axis, start, x);
      return buffer;
    };
    return { inputs: [x], f, tolerance: exact };
  },
  quantizedMatmul(random) {
    const [M, N, K] = [random.choose(1, 2, 5, 70), random.choose(1, 9, 257), random.choose(1, 33, 400)];
    const activations = random.choose("float32", "int8");
    const { data, scale } = quantizeWeight(numbers(random, [N, K], "ordinary"), {
      bits: activations === "int8" ? 8 : random.choose(8, 4),
    });
    const f = (x: Tensor, data: Tensor, scale: Tensor) =>
      quantizedLinear(x, { data, scale }, undefined, { activations });
    const inputs = [
      laidOut(random, [M, K], "ordinary"),
      (move: Move) => move(data),
      (move: Move) => move(scale),
    ];
    return { inputs, f: (x, data, scale) => f(x!, data!, scale!), tolerance: sums };
  },
  adam: (random) => optimizerCase(random, adamW({ weightDecay: 0.1 })),
  amsgrad: (random) => optimizerCase(random, adam({ amsgrad: true })),
  sgd: (random) =>
    optimizerCase(random, sgd({ learningRate: 0.1, momentum: 0.9, nesterov: random(2) === 1 })),
  attention: (random) => attentionCase(random, false),
  attentionBackward: (random) => attentionCase(random, true),
};

function reduction(f: (x: Tensor, options: { axis: number[]; keepDims: boolean }) => Tensor) {
  return (random: Random): Case => {
    const shape = shapeOf(random).map((length) => length || 1);
    const axis = shape.flatMap((_, axis) => (random(2) ? [axis] : []));
    const options = { axis, keepDims: random(2) === 1 };
    const kind = random.choose("ordinary", "denormal", "infinite", "not a number", "huge");
    return {
      inputs: [laidOut(random, shape, kind)],
      f: (x) => f(x!, options),
      tolerance: kind === "huge" ? { relative: 1e-4, absolute: 10 } : sums,
    };
  };
}

function crossEntropyCase(random: Random, f: (logits: Tensor, targets: Tensor) => Tensor): Case {
  const [rows, classes] = random(4) ? [1 + random(9), 1 + random(70)] : [40, 5000];
  const targets = tensor(
    Int32Array.from({ length: rows! }, () => random(classes!)),
    { shape: [rows!], dtype: "int32" },
  );
  const logits = laidOut(random, [rows!, classes!], random.choose("ordinary", "denormal", "huge"));
  return {
    inputs: [logits, (move) => move(targets)],
    f: (x, y) => f(x!, y!),
    tolerance: { relative: 1e-5, absolute: 1e-5 },
  };
}

function crossEntropyGradients(random: Random): Case {
  const options = { labelSmoothing: random.choose(0, 0.1) };
  return crossEntropyCase(random, (logits, targets) =>
    ops.grad((logits: Tensor) => ops.crossEntropy(logits, targets, options))(logits),
  );
}

function takeCase(random: Random, f: (table: Tensor, ids: Tensor) => Tensor): Case {
  const [rows, width, count] = [1 + random(9), random.choose(1, 3, 64, 130), random.choose(1, 7, 700)];
  const ids = tensor(
    Int32Array.from({ length: count }, () => random(rows)),
    { shape: [count], dtype: "int32" },
  );
  return {
    inputs: [laidOut(random, [rows, width], "ordinary"), (move) => move(ids)],
    f: (x, y) => f(x!, y!),
    tolerance: sums,
  };
}

/** Three steps on a param, which is updated in place. */
function optimizerCase(random: Random, optimizer: Optimizer): Case {
  const shape = [random.choose(1, 3, 1001, 70_000)];
  const gradient = numbers(random, shape, random.choose("ordinary", "denormal", "huge"));
  const start = numbers(random, shape, "ordinary");
  const f = (gradient: Tensor) => {
    const param = { w: resident(tensor(start.data.slice(), { shape, device: gradient.device })) };
    const state = optimizer.init(param);
    for (const { w } of Object.values(state.moments) as { w: Tensor }[]) resident(w);
    for (let step = 0; step < 3; step++) optimizer.update(param, { w: gradient }, state);
    return ops.contiguous(param.w);
  };
  return {
    inputs: [(move) => move(gradient)],
    f: (x) => f(x!),
    tolerance: { relative: 1e-5, absolute: 1e-5 },
  };
}

import { mixers } from "@qkv/test-support/random-mixers";
import type { Cache, LayerState } from "@qkv/attention-contract";
import {
  cast,
  checkGradient,
  concat,
  full,
  linear,
  mapTensors,
  matmul,
  mul,
  randn,
  relu,
  sigmoid,
  silu,
  slice,
  sum,
  tanh,
  tensor,
  type Tensor,
} from "@qkv/tensor";
import { describe, expect, test } from "vitest";
import { gatedDeltaRule } from "./gated-delta-rule.js";
import { gla } from "./gla.js";
import { hgrn } from "./hgrn.js";
import { logSigmoidDecay, softplusDecay } from "./input-maps.js";
import { linearAttention } from "./linear-attention.js";
import { logLinearAttention } from "./log-linear-attention.js";
import { mesaNet } from "./mesa-net.js";
import { mixerLayer, type AnyMixer, type MixerLayer, type MixerLayerConfig } from "./mixer-layer.js";
import { selectiveScan } from "./selective-scan.js";
import { shortConvolution } from "./short-convolution.js";
import { ssd } from "./ssd.js";
import { tttLinear } from "./ttt-linear.js";

type AnyLayer = MixerLayer<string>;

/** A cache of one layer, which holds what it is given. */
function heldState() {
  let [held, length]: [LayerState | undefined, number] = [undefined, 0];
  const refuse = () => {
    throw new Error("no keys");
  };
  const cache: Cache = {
    update: refuse,
    read: refuse,
    state: () => held,
    advance(_, state, tokens) {
      held = state;
      length += tokens as number;
    },
    get length() {
      return length;
    },
  };
  return cache;
}

function expectClose(ours: Tensor, theirs: Tensor, digits = 5): void {
  expect(ours.shape).toEqual(theirs.shape);
  ours.data.forEach((x, i) => {
    expect(x).toBeCloseTo(theirs.data[i]!, digits);
  });
}

const tokens = (x: Tensor, from: number, to: number) => slice(x, 1, from, to);
const x = randn([2, 7, 8], { seed: 1 });

/** Inputs that have no map by default. */
const own: Partial<MixerLayerConfig> = { inputs: { a: (x) => mul(tanh(x), -0.1), b: tanh } };
const configs: MixerLayerConfig[] = [
  ...mixers.map((mixer): MixerLayerConfig => {
    const more = mixer.name === "dplr()" ? own : {};
    return { embedDim: 8, numHeads: 2, mixer, axes: { n: 2 }, ...more };
  }),
  { embedDim: 8, numHeads: 2, mixer: shortConvolution(), axes: { N: 3 } },
  { embedDim: 8, numHeads: 2, mixer: mesaNet() },
  {
    embedDim: 8,
    numHeads: 8,
    numKeyHeads: 1,
    keyDim: 3,
    valueDim: 1,
    mixer: selectiveScan(),
    convolution: 4,
  },
];

describe.each(configs.map((config) => ({ name: config.mixer.name, config })))("$name", ({ config }) => {
  const layer = mixerLayer({ ...config, outputGate: silu, convolution: 3 });
  const params = layer.init(2);

  test("segments and single tokens with a cache give the same as the whole sequence", () => {
    const whole = layer.apply(params, x);
    expect(whole.shape).toEqual([2, 7, 8]);
    expect(whole.data.every(Number.isFinite)).toBe(true);
    const cache = heldState();
    const parts = [0, 3, 4, 5, 6].map((from, i, all) =>
      layer.apply(params, tokens(x, from, all[i + 1] ?? 7), { cache }),
    );
    expectClose(concat(parts, 1), whole, 4);
    expect(cache.length).toBe(7);
  });

  test("outputs do not depend on later tokens", () => {
    const first = layer.apply(params, tokens(x, 0, 4));
    expectClose(first, tokens(layer.apply(params, x), 0, 4), 4);
  });
});

const gdn = mixerLayer({
  embedDim: 8,
  numHeads: 2,
  mixer: gatedDeltaRule(),
  convolution: 3,
  outputGate: silu,
});

test("packed documents give the same as each by itself, also with a convolution", () => {
  const params = gdn.init(3);
  const cache = heldState();
  const packed = gdn.apply(params, x, { documents: [0, 0, 0, 1, 1, 2, 2], cache });
  for (const [from, to] of [
    [0, 3],
    [3, 5],
    [5, 7],
  ] as const) {
    expectClose(tokens(packed, from, to), gdn.apply(params, tokens(x, from, to)));
  }
  // The next token goes on with the last document alone.
  const next = randn([2, 1, 8], { seed: 9 });
  const last = concat([tokens(x, 5, 7), next], 1);
  expectClose(gdn.apply(params, next, { cache }), tokens(gdn.apply(params, last), 2, 3));
});

test("the content of padding changes neither outputs nor the state", () => {
  const params = gdn.init(3);
  const cache = heldState();
  const dirty = concat([tokens(x, 0, 5), mul(tokens(x, 5, 7), NaN)], 1);
  const { advance } = cache;
  let counted: unknown;
  cache.advance = (layer, state, count) => {
    counted = count;
    advance(layer, state, 0);
  };
  const padded = gdn.apply(params, dirty, { padding: [5, 2], cache });
  expect(counted).toEqual([5, 2]);
  const next = randn([2, 1, 8], { seed: 9 });
  const after = gdn.apply(params, next, { cache });
  [5, 2].forEach((length, b) => {
    const batch = (x: Tensor) => slice(x, 0, b, b + 1);
    const real = tokens(batch(x), 0, length);
    expectClose(tokens(batch(padded), 0, length), gdn.apply(params, real));
    const whole = gdn.apply(params, concat([real, batch(next)], 1));
    expectClose(batch(after), tokens(whole, length, length + 1));
  });
});

test("golden: one token, by the formula", () => {
  const layer = mixerLayer({ embedDim: 4, numHeads: 2, mixer: linearAttention(), outputNorm: "none" });
  const params = layer.init(5);
  const row = tensor([[[1, 2, 3, 4]]]);
  // One token: o = scale · (q · k) v per head, then the output matrix.
  const rows = ["query", "key", "value"].map((name) => {
    const { data } = params[name as "query"].weight;
    return [0, 1, 2, 3].map((r) => [1, 2, 3, 4].reduce((sum, x, c) => sum + x * data[4 * r + c]!, 0));
  }) as [number[], number[], number[]];
  const [q, k, v] = rows;
  const mixed = v.map((value, i) => {
    const head = 2 * Math.floor(i / 2);
    return ((q[head]! * k[head]! + q[head + 1]! * k[head + 1]!) * value) / Math.sqrt(2);
  });
  const expected = [0, 1, 2, 3].map((r) =>
    mixed.reduce((sum, x, c) => sum + x * params.output.weight.data[4 * r + c]!, 0),
  );
  layer.apply(params, row).data.forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i]!, 4);
  });
});

test("default input maps: decays are at most 0, beta is from 0 to 1, and keys have unit norm", () => {
  const layer = mixerLayer({ embedDim: 8, numHeads: 2, mixer: gatedDeltaRule() });
  const seen: Record<string, Tensor> = {};
  const mixer: AnyMixer = {
    ...gatedDeltaRule(),
    mix(call) {
      Object.assign(seen, call.inputs);
      return gatedDeltaRule().mix(call as never);
    },
  };
  mixerLayer({ ...layer.config, mixer }).apply(layer.init(1) as never, mul(x, 10));
  expect(seen["decay"]!.data.every((value) => value < 0)).toBe(true);
  expect(seen["beta"]!.data.every((value) => value >= 0 && value <= 1)).toBe(true);
  const { data } = seen["key"]!;
  for (let i = 0; i < data.length; i += 4)
    expect(Math.hypot(data[i]!, data[i + 1]!, data[i + 2]!, data[i + 3]!)).toBeCloseTo(1, 4);
});

test("the option `inputs` replaces a default map", () => {
  const layer = (inputs: MixerLayerConfig["inputs"]) =>
    mixerLayer({ embedDim: 8, numHeads: 2, mixer: gla(), ...(inputs && { inputs }) });
  const slow = layer({ decay: logSigmoidDecay() });
  const params = slow.init(1);
  expect(Object.keys(params.decay)).toEqual(["weight"]);
  expect(Object.keys(layer(undefined).init(1).decay)).toEqual(["weight", "logRate", "bias"]);
  const none = layer({ decay: (x) => mul(relu(x), 0) });
  const sum = mixerLayer({ embedDim: 8, numHeads: 2, mixer: linearAttention() });
  expectClose(none.apply(params, x), sum.apply(params, x));
  // Time steps between 0.001 and 0.1, rates between 1 and 16.
  const { logRate, bias } = softplusDecay().init([4, 8], 3);
  expect([...logRate!.data].every((value) => value >= 0 && value <= Math.log(16))).toBe(true);
  const steps = [...bias!.data].map((value) => Math.log1p(Math.exp(value)));
  expect(Math.min(...steps)).toBeGreaterThan(0.00099);
  expect(Math.max(...steps)).toBeLessThan(0.101);
});

describe("a layer of a state space model", () => {
  const mamba2 = { embedDim: 8, numHeads: 4, numKeyHeads: 2, keyDim: 3, valueDim: 2, mixer: ssd() } as const;
  const gate = { outputGate: silu, normEps: 0.1 } as const;
  const rms = (row: readonly number[]) =>
    row.map((x) => x / Math.sqrt(row.reduce((sum, x) => sum + x * x, 0) / row.length + 0.1));
  const identity = <P extends { output: { weight: Tensor } }>(params: P): P => ({
    ...params,
    output: {
      weight: tensor(
        Array.from({ length: 64 }, (_, i) => (i % 9 === 0 ? 1 : 0)),
        { shape: [8, 8] },
      ),
    },
  });
  const rowsOf = ({ data }: Tensor) =>
    Array.from({ length: data.length / 8 }, (_, i) => [...data.subarray(8 * i, 8 * i + 8)].map(Number));
  const x = randn([1, 5, 8], { seed: 2 });

  test.each([
    ["head", 2],
    ["group", 4],
    ["whole", 8],
  ] as const)("outputNorm %s normalizes over %i numbers, before or after the gate", (outputNorm, size) => {
    const normed = (row: readonly number[]) =>
      Array.from({ length: 8 / size }, (_, i) => rms(row.slice(size * i, size * (i + 1)))).flat();
    const bare = mixerLayer({ ...mamba2, outputNorm: "none" });
    const params = identity(mixerLayer({ ...mamba2, ...gate, outputNorm }).init(1));
    const [heads, z] = [bare.apply(params, x), linear(x, params.outputGate!.weight)].map(rowsOf) as [
      number[][],
      number[][],
    ];
    const gateOf = (t: number, i: number) => z[t]![i]! / (1 + Math.exp(-z[t]![i]!));
    for (const gatePlace of ["beforeNorm", "afterNorm"] as const) {
      const own = rowsOf(mixerLayer({ ...mamba2, ...gate, outputNorm, gatePlace }).apply(params, x));
      own.forEach((row, t) => {
        const expected =
          gatePlace === "beforeNorm"
            ? normed(heads[t]!.map((h, i) => h * gateOf(t, i)))
            : normed(heads[t]!).map((h, i) => h * gateOf(t, i));
        row.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 4));
      });
    }
  });

  test("`skip` adds the value of each head times a learned number", () => {
    const layer = mixerLayer({ ...mamba2, outputNorm: "none", skip: true });
    const params = { ...identity(layer.init(1)), skip: { weight: tensor([1, 2, 3, 4]) } };
    const [bare, all] = [mixerLayer({ ...mamba2, outputNorm: "none" }), layer].map((one) =>
      rowsOf(one.apply(params, x)),
    ) as [number[][], number[][]];
    const values = rowsOf(linear(x, params.value.weight));
    all.forEach((row, t) =>
      row.forEach((value, i) =>
        expect(value).toBeCloseTo(bare[t]![i]! + (1 + Math.floor(i / 2)) * values[t]![i]!, 4),
      ),
    );
    const { skip: _, ...without } = params;
    expect(() => layer.apply(without, x)).toThrow(/`params.skip`/);
  });

  const mamba = mixerLayer({
    ...{ embedDim: 8, numHeads: 8, numKeyHeads: 1, keyDim: 3, valueDim: 1, mixer: selectiveScan() },
    ...{ convolution: 3, convolutionBias: true, projectFrom: "value", ranks: { deltaTime: 2 } },
    ...{ skip: true, outputNorm: "none", outputGate: silu },
  } as const);

  test("with projectFrom: value, keys, queries and time steps are projected from the convolved values, time steps with a low rank", () => {
    const params = mamba.init(1);
    expect(params.deltaTime["down"]!.shape).toEqual([2, 8]);
    expect(params.deltaTime.weight.shape).toEqual([8, 2]);
    expect(Object.keys(params.convolution!)).toEqual(["value"]);
    expect(params.convolution!["value"]!.bias!.shape).toEqual([8]);
    // Without values nothing is read: only the bias of the convolution reaches the state.
    const still = { ...params, value: { weight: mul(params.value.weight, 0) } };
    const shifted = (by: number) => ({
      ...still,
      convolution: {
        value: { ...still.convolution!["value"]!, bias: tensor(new Array<number>(8).fill(by)) },
      },
    });
    expect([...mamba.apply(shifted(0), x).data].every((value) => Math.abs(value) < 1e-7)).toBe(true);
    expect([...mamba.apply(shifted(1), x).data].some((value) => Math.abs(value) > 1e-3)).toBe(true);
  });

  test("decoding with a cache continues convolutions and their biases", () => {
    const params = mamba.init(1);
    const biased = {
      ...params,
      convolution: { value: { ...params.convolution!["value"]!, bias: randn([8], { seed: 4 }) } },
    };
    const cache = heldState();
    const parts = [slice(x, 1, 0, 2), slice(x, 1, 2)].map((part) => mamba.apply(biased, part, { cache }));
    expectClose(concat(parts, 1), mamba.apply(biased, x));
  });

  test("a rank for an input that is not a projection, and unknown orders, are refused", () => {
    const wrong = (more: object) => () => mixerLayer({ ...mamba2, ...more });
    expect(wrong({ ranks: { A: 2 } })).toThrow(/mixerLayer: `ranks` is "A", expected ranks of query, key/);
    expect(wrong({ ranks: { deltaTime: 0 } })).toThrow(/`ranks.deltaTime`/);
    expect(wrong({ gatePlace: "before" })).toThrow(/`gatePlace`/);
    expect(wrong({ projectFrom: "key" })).toThrow(/`projectFrom`/);
    expect(wrong({ skip: 1 })).toThrow(/`skip`/);
  });
});

test("gradients equal central differences", () => {
  const layer = mixerLayer({
    ...{ embedDim: 4, numHeads: 2, mixer: gatedDeltaRule(), convolution: 2, outputGate: sigmoid, bias: true },
  });
  const tree = { params: layer.init(3), x: randn([1, 3, 4], { seed: 4 }) };
  const wide = mapTensors(tree, (t: Tensor) => cast(t, "float64"));
  const dy = randn([1, 3, 4], { seed: 6, dtype: "float64" });
  checkGradient(({ params, x }: typeof wide) => sum(mul(layer.apply(params, x), dy)), wide);
});

test("heads can be traced and replaced", () => {
  const params = gdn.init(3);
  const tensors: Record<string, Tensor> = {};
  const out = gdn.apply(params, x, { trace: { names: ["heads"], tensors } });
  expect(tensors["heads"]!.shape).toEqual([2, 2, 7, 4]);
  const interventions = { heads: (x: Tensor) => mul(x, 0) };
  const zeroed = gdn.apply(params, x, { trace: { names: [], tensors: {}, interventions } });
  expect(zeroed.data.every((value) => Math.abs(value) === 0)).toBe(true);
  expect(out.data.some((value) => value !== 0)).toBe(true);
});

test("the implied weights of a layer times its values equal its heads, with convolutions and shared keys", () => {
  const sizes = { embedDim: 8, numHeads: 4, convolution: 3 };
  for (const layer of [
    mixerLayer({ ...sizes, mixer: gatedDeltaRule(), numKeyHeads: 2 }) as AnyLayer,
    mixerLayer({ ...sizes, mixer: ssd(), numKeyHeads: 1, skip: true }) as AnyLayer,
    mixerLayer({ ...sizes, mixer: linearAttention() }) as AnyLayer,
  ]) {
    const params = layer.init(1);
    const x = randn([2, 5, 8], { seed: 2 });
    const tensors: Record<string, Tensor> = {};
    layer.apply(params, x, { trace: { names: ["heads"], tensors } });
    const { weights, value } = layer.impliedWeights(params, x);
    expect(weights.shape).toEqual([2, 4, 5, 5]);
    expectClose(matmul(weights, value), tensors["heads"]!);
    // No later token is read.
    const data = weights.data;
    data.forEach((weight, i) => {
      if (i % 5 > Math.floor(i / 5) % 5) expect(weight).toBe(0);
    });
  }
  const own = mixerLayer({ ...sizes, mixer: tttLinear() });
  expect(() => own.impliedWeights(own.init(1), randn([1, 2, 8], { seed: 1 }))).toThrow(
    /impliedWeights: `config.mixer` is "tttLinear.*expected a mixer whose output is linear in its values/,
  );
});

test("the option `linear` computes all projections", () => {
  const names: string[] = [];
  const layer = gdn.withLinear((x, weight, bias) => {
    names.push(weight.shape.join());
    return linear(x, weight, bias);
  });
  const params = gdn.init(3);
  expect(layer.apply(params, x).data).toEqual(gdn.apply(params, x).data);
  expect(names).toEqual(["8,8", "8,8", "8,8", "2,8", "2,8", "8,8", "8,8"]);
});

test("invalid configurations are refused, with the fix", () => {
  const make = (config: object) => () =>
    mixerLayer({ embedDim: 8, numHeads: 2, mixer: gatedDeltaRule(), ...config });
  expect(make({ mixer: gatedDeltaRule })).toThrow(/mixerLayer: `mixer` is .*\nFix: call the function/);
  expect(make({ numHeads: 3 })).toThrow(/`keyDim` is 2\.6.*\nFix: choose numHeads to divide/);
  expect(make({ numKeyHeads: 3 })).toThrow(/`numKeyHeads` is 3, expected a divisor of numHeads = 2/);
  expect(make({ mixer: hgrn(), numHeads: 8, outputNorm: "head" })).toThrow(
    /`outputNorm`.*\nFix: give "whole"/,
  );
  expect(make({ mixer: shortConvolution() })).toThrow(
    /`axes`.*length of axis N of `taps`.*\nFix: give its length/,
  );
  expect(make({ inputs: { betas: sigmoid } })).toThrow(/`inputs` is "betas".*\nFix: did you mean `beta`/);
  expect(make({ inputs: { beta: 0.5 } })).toThrow(/`inputs.beta` is 0\.5, expected a function/);
  const dplr = mixers.find(({ name }) => name === "dplr()")!;
  expect(make({ mixer: dplr })).toThrow(/`inputs.a` is undefined.*\nFix: give a function of tensors/);
  expect(make({ mixer: logLinearAttention() })).toThrow(/length of axis L of `levelWeights`/);
  expect(make({ convolution: 0 })).toThrow(/`convolution` is 0/);
});

test("invalid call options are refused, with the fix", () => {
  const params = gdn.init(1);
  const options = (options: object) => () => gdn.apply(params, x, options);
  expect(options({ mask: {} })).toThrow(/apply: `mask` is .*\nFix: give `documents` or `padding`/);
  expect(options({ context: x })).toThrow(/context/);
  expect(options({ trace: { names: ["weights"], tensors: {} } })).toThrow(
    /`trace.names` is "weights".*impliedWeights/s,
  );
  expect(options({ padding: [1] })).toThrow(/`padding` is "1 lengths", expected 2/);
  expect(options({ documents: [0, 1] })).toThrow(/`documents`/);
  expect(() => gdn.apply(params, randn([1, 2, 9], { seed: 1 }))).toThrow(/expected \[B, T, 8\]/);
  expect(() => gdn.apply({ ...params, beta: undefined as never }, x)).toThrow(/`params.beta` is undefined/);
  const ttt = mixerLayer({ embedDim: 8, numHeads: 2, mixer: tttLinear() });
  expect(() => ttt.apply({ ...ttt.init(1), normBias: {} as never }, x)).toThrow(/`params.normBias`/);
});

describe("maps between the projections of a rank, and biases in some places", () => {
  const own = { embedDim: 8, numHeads: 8, numKeyHeads: 1, keyDim: 2, valueDim: 1 } as const;
  const mamba = {
    ...own,
    mixer: selectiveScan(),
    ranks: { deltaTime: 2 },
    projectFrom: "value",
    outputNorm: "none",
  } as const;
  const x = randn([1, 4, 8], { seed: 1 });

  test("a map between the projections of a rank: a function, or one with learned tensors", () => {
    const layer = mixerLayer(mamba);
    const params = layer.init(1);
    const doubled = { ...params.deltaTime, down: mul(params.deltaTime["down"]!, 2) };
    const theirs = layer.apply({ ...params, deltaTime: doubled }, x).data;
    const double = mixerLayer({ ...mamba, rankMaps: { deltaTime: (rows) => mul(rows, 2) } });
    const ours = double.apply(params, x).data;
    ours.forEach((one, i) => expect(one).toBeCloseTo(theirs[i]!, 5));
    const gain = {
      ...{ name: "gain", init: (shape: readonly number[]) => ({ gain: full(shape, 2) }) },
      apply: (rows: Tensor, { gain }: Readonly<Record<string, Tensor>>) => mul(rows, gain!),
    };
    const learned = mixerLayer({ ...mamba, rankMaps: { deltaTime: gain } });
    const { deltaTime } = learned.init(1);
    expect(deltaTime["gain"]!.shape).toEqual([2]);
    const again = learned.apply(learned.init(1), x).data;
    again.forEach((one, i) => expect(one).toBeCloseTo(theirs[i]!, 5));
  });

  test.each([
    ["inputs", true, false],
    ["output", false, true],
    [true, true, true],
  ] as const)("biases: %s", (bias, inputs, output) => {
    const params = mixerLayer({ ...own, mixer: gla(), valueDim: 2, bias, outputGate: silu }).init(1);
    expect([params.query.bias, params.outputGate!.bias].map((one) => one !== undefined)).toEqual([
      inputs,
      inputs,
    ]);
    expect(params.output.bias !== undefined).toBe(output);
  });

  test("a map of an input without a rank, values that are not maps, and unknown places are refused", () => {
    const wrong = (more: object) => () => mixerLayer({ ...mamba, ...more });
    expect(wrong({ rankMaps: { key: (x: Tensor) => x } })).toThrow(
      /mixerLayer: `rankMaps.key` is .* expected a map of an input in `ranks`/,
    );
    expect(wrong({ rankMaps: { deltaTime: 3 } })).toThrow(/`rankMaps.deltaTime` is 3/);
    expect(wrong({ bias: "gate" })).toThrow(/`bias` is "gate", expected true, false, "inputs" or "output"/);
  });
});

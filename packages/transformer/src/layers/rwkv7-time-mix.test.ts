import { stateCache } from "@qkv/kv-cache";
import { cast, checkGradient, mapTensors, mul, randn, slice, sum, type Tensor } from "@qkv/tensor";
import fc from "fast-check";
import { expect, test } from "vitest";
import { rwkv7TimeMix, type LowRankParams, type TimeMixParams } from "./rwkv7-time-mix.js";

const [C, N, T] = [6, 3, 7];
const config = {
  ...{ embedDim: C, headDim: N, normEps: 1e-3 },
  ranks: { decay: 2, rate: 3, gate: 2, value: 1 },
};
const { value: _, ...ranks } = config.ranks;
const later = rwkv7TimeMix(config);
const first = rwkv7TimeMix({ ...config, ranks });

/** Random weights in float64 in place of the initial constants. */
const randomParams = (layer: typeof later, seed: number): TimeMixParams => {
  let n = seed;
  return mapTensors(layer.init(seed), (x) => randn(x.shape, { seed: n++, dtype: "float64" }));
};
const splitRows = (x: Tensor): number[][] => {
  const width = x.shape.at(-1)!;
  return Array.from({ length: x.data.length / width }, (_, t) =>
    Array.from(x.data.slice(t * width, (t + 1) * width)),
  );
};

/** Reference: the recurrence of the paper (arXiv:2503.14456), one token and head at a time, without tensors. */
function byRecurrence(params: TimeMixParams, x: number[][], firstValues: number[][] | undefined) {
  const sigmoid = (z: number) => 1 / (1 + Math.exp(-z));
  const vector = (x: Tensor) => Array.from(x.data);
  const product = (y: number[], matrix: Tensor) =>
    splitRows(matrix).map((row) => row.reduce((sum, w, i) => sum + w * y[i]!, 0));
  const columns = (y: number[], matrix: Tensor) => {
    const rows = splitRows(matrix);
    return rows[0]!.map((_, j) => rows.reduce((sum, row, i) => sum + row[j]! * y[i]!, 0));
  };
  const low = ({ down, up, bias }: LowRankParams, y: number[], activation = (z: number) => z) =>
    columns(columns(y, down).map(activation), up).map((z, i) => z + (bias ? vector(bias)[i]! : 0));
  const H = C / N;
  const states = Array.from({ length: H }, () =>
    Array.from({ length: N }, () => Array.from({ length: N }, () => 0)),
  );
  const values: number[][] = [];
  const outputs = x.map((row, t) => {
    const before = x[t - 1] ?? row.map(() => 0);
    const shifted = (name: keyof TimeMixParams["shift"]) => {
      const share = vector(params.shift[name]);
      return row.map((z, i) => z + (before[i]! - z) * share[i]!);
    };
    const r = product(shifted("query"), params.query.weight);
    const w = low(params.decay, shifted("decay"), Math.tanh).map(
      (z) => -Math.log1p(Math.exp(-z)) - 0.5, // −softplus(−z) − ½
    );
    const k = product(shifted("key"), params.key.weight);
    let v = product(shifted("value"), params.value.weight);
    values.push(v);
    if (firstValues) {
      const share = low(params.valueMix!, shifted("value")).map(sigmoid);
      v = v.map((z, i) => z + (firstValues[t]![i]! - z) * share[i]!);
    }
    const a = low(params.rate, shifted("rate")).map(sigmoid);
    const g = low(params.gate, shifted("gate"), sigmoid);
    const [kk, ka] = [vector(params.removalKey), vector(params.keyRate)];
    const mixed = Array.from({ length: H }, (_, h) => {
      const headSlice = (y: number[]) => y.slice(h * N, (h + 1) * N);
      const removal = headSlice(k.map((z, i) => z * kk[i]!));
      const norm = Math.hypot(...removal);
      const unit = removal.map((z) => z / norm);
      const replacementKey = headSlice(k.map((z, i) => z * (1 + (a[i]! - 1) * ka[i]!)));
      const S = states[h]!; // [key, value]
      const removed = Array.from({ length: N }, (_, j) => unit.reduce((sum, z, i) => sum + z * S[i]![j]!, 0));
      states[h] = S.map((line, i) =>
        line.map(
          (s, j) =>
            s * Math.exp(-Math.exp(headSlice(w)[i]!)) -
            unit[i]! * headSlice(a)[i]! * removed[j]! +
            replacementKey[i]! * headSlice(v)[j]!,
        ),
      );
      const out = Array.from({ length: N }, (_, j) =>
        headSlice(r).reduce((sum, z, i) => sum + z * states[h]![i]![j]!, 0),
      );
      const mean = out.reduce((a, b) => a + b) / N;
      const variance = out.reduce((sum, z) => sum + (z - mean) ** 2, 0) / N;
      const weight = splitRows(params.bonus)[h]!.reduce(
        (sum, u, i) => sum + u * headSlice(r)[i]! * replacementKey[i]!,
        0,
      );
      return out.map((z, j) => {
        const [gain, shift] = [params.outputNorm.weight, params.outputNorm.bias!].map(
          (x) => headSlice(vector(x))[j]!,
        ) as [number, number];
        const normed = ((z - mean) / Math.sqrt(variance + config.normEps)) * gain + shift;
        return normed + weight * headSlice(v)[j]!;
      });
    }).flat();
    return product(
      mixed.map((z, i) => z * g[i]!),
      params.output.weight,
    );
  });
  return { outputs, values };
}

test("property: first and later layers equal the recurrence of the paper", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9999 }), (seed) => {
      const x = randn([1, T, C], { seed, dtype: "float64" });
      const [firstParams, params] = [randomParams(first, seed), randomParams(later, seed + 100)];
      const firstLayer = {};
      const before = first.apply(firstParams, x, { firstLayer });
      const after = later.apply(params, x, { firstLayer });
      const expectedFirst = byRecurrence(firstParams, splitRows(x), undefined);
      const close = (ours: Tensor, rows: number[][]) =>
        rows.flat().forEach((z, i) => expect(ours.data[i]! - z).toBeCloseTo(0, 8));
      close(before, expectedFirst.outputs);
      close(after, byRecurrence(params, splitRows(x), expectedFirst.values).outputs);
    }),
    { numRuns: 20 },
  );
});

test("every weight affects the outputs", () => {
  const x = randn([1, T, C], { seed: 1, dtype: "float64" });
  const firstLayer = { values: randn([1, T, C], { seed: 2, dtype: "float64" }) };
  const params = randomParams(later, 3);
  const fullOutput = later.apply(params, x, { firstLayer }).data;
  const paths: string[] = [];
  mapTensors(params, (weight, path) => (paths.push(path), weight));
  expect(paths.length).toBe(6 + 4 + 3 * 3 + 2 + 3 + 2);
  for (const path of paths) {
    const changed = mapTensors(params, (weight, at) =>
      at === path ? randn(weight.shape, { seed: 777, dtype: "float64" }) : weight,
    );
    const { data } = later.apply(changed, x, { firstLayer });
    expect(Math.max(...data.map((z, i) => Math.abs(z - fullOutput[i]!))), path).toBeGreaterThan(1e-3);
  }
});

test("property: two chunks with a cache equal one call", () => {
  const params = mapTensors(randomParams(first, 5), (x) => cast(x, "float32"));
  fc.assert(
    fc.property(fc.integer({ min: 1, max: T - 1 }), (cut) => {
      const x = randn([2, T, C], { seed: cut });
      const fullOutput = first.apply(params, x);
      const cache = stateCache();
      for (const [from, to] of [[0, cut], [cut, T]] as const) {
        const { data } = first.apply(params, slice(x, 1, from, to), { cache });
        slice(fullOutput, 1, from, to).data.forEach((z, i) => expect(data[i]! - z).toBeCloseTo(0, 3));
      } // prettier-ignore
      expect(Object.keys(cache.state(0)!)).toEqual(["state", "shift"]);
      expect(cache.length).toBe(T);
    }),
  );
});

test("gradients equal central differences", () => {
  const x = randn([1, 3, C], { seed: 1, dtype: "float64" });
  const dy = randn([1, 3, C], { seed: 2, dtype: "float64" });
  const params = mapTensors(randomParams(later, 1), (weight) => mul(weight, 0.5));
  const values = randn([1, 3, C], { seed: 3, dtype: "float64" });
  checkGradient(
    ({ params, x, values }) => sum(mul(later.apply(params, x, { firstLayer: { values } }), dy)),
    { params, x, values },
    { tolerance: 1e-5 },
  );
});

test("an indivisible headDim, missing values of the first layer and a mask are refused", () => {
  expect(() => rwkv7TimeMix({ ...config, headDim: 4 })).toThrow(
    "rwkv7TimeMix: `headDim` is 4, expected a divisor of embedDim = 6",
  );
  const x = randn([1, 2, C], { seed: 1, dtype: "float64" });
  const params = randomParams(later, 1);
  expect(() => later.apply(params, x)).toThrow(/`firstLayer` is undefined.*\nFix: run a layer without/);
  expect(() => first.apply(params, x, { mask: {} } as never)).toThrow(/`mask`/);
  expect(() => first.apply(params, randn([1, 2, 5], { seed: 1 }))).toThrow("rows of embedDim = 6");
  const { valueMix: __, ...without } = params;
  expect(() => later.apply(without, x, { firstLayer: { values: x } })).toThrow(/`params.valueMix`/);
});

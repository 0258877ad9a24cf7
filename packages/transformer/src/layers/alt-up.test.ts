import { add, mapTensors, mul, randn, reshape, slice, tensor, zeros, type Tensor } from "@qkv/tensor";
import { expect, test } from "vitest";
import "@qkv/test-support/allclose";
import { altUp } from "./alt-up.js";

const [B, T, N, C] = [2, 3, 3, 4];
const sizes = { embedDim: C, streams: N, norm: "rms", eps: 1e-6 } as const;
const streams = randn([B, T, N, C], { seed: 1 });
const streamAt = (all: Tensor, i: number) => reshape(slice(all, 2, i, i + 1), [B, T, C]);
const close = { rtol: 0, atol: 1e-5 };

test("predict adds to each stream a combination of all streams, with coefficients per token", () => {
  const up = altUp({ ...sizes, active: 1 });
  const params = up.initLayer(7);
  const [weights, gain] = [params.prediction.data, params.router.data];
  const predicted = up.predict(params, streams);
  for (const [b, t] of [
    [0, 0],
    [1, 2],
  ] as const) {
    const at = (i: number) =>
      Array.from(streams.data.slice(((b * T + t) * N + i) * C, ((b * T + t) * N + i + 1) * C));
    const active = at(1);
    const rms = Math.sqrt(active.reduce((sum, x) => sum + x * x, 0) / C + 1e-6);
    const routed = [0, 1, 2].map((n) =>
      Math.tanh(active.reduce((sum, x, c) => sum + (gain[n * C + c]! * x) / rms / C, 0)),
    );
    const expected = [0, 1, 2].flatMap((j) =>
      at(j).map((x, c) => {
        const terms = [0, 1, 2].map((i) => {
          const coefficient = routed.reduce((sum, r, n) => sum + weights[(j * N + i) * N + n]! * r, 0);
          return coefficient * at(i)[c]!;
        });
        return x + terms.reduce((a, b) => a + b, 0);
      }),
    );
    const actual = predicted.data.slice((b * T + t) * N * C, (b * T + t + 1) * N * C);
    expect(actual).toBeAllclose(expected, close);
  }
});

test("with zero coefficients, correct adds the change of the active stream to each stream", () => {
  const up = altUp({ ...sizes, active: 2 });
  const params = mapTensors(up.initLayer(7), (w) => zeros(w.shape));
  const computed = randn([B, T, C], { seed: 3 });
  const corrected = up.correct(params, streams, computed);
  const change = add(computed, mul(streamAt(streams, 2), -1));
  for (const i of [0, 1, 2])
    expect(streamAt(corrected, i).data).toBeAllclose(add(streamAt(streams, i), change).data, close);
});

test("coefficientLimit clamps the coefficients of correct, not of predict", () => {
  const large = (up: ReturnType<typeof altUp>) => mapTensors(up.initLayer(7), (w) => mul(w, 1000));
  const [free, within] = [altUp(sizes), altUp({ ...sizes, coefficientLimit: 120 })];
  const params = large(free);
  const computed = randn([B, T, C], { seed: 3 });
  expect(within.predict(params, streams).data).toEqual(free.predict(params, streams).data);
  const clamped = {
    ...params,
    correction: tensor(
      params.correction.data.map((x) => Math.max(-120, Math.min(120, x))),
      { shape: [N, N] },
    ),
  };
  expect(within.correct(params, streams, computed).data).toEqual(
    free.correct(clamped, streams, computed).data,
  );
  expect(within.correct(params, streams, computed).data).not.toEqual(
    free.correct(params, streams, computed).data,
  );
});

test("expand gives streams with the RMS of the embeddings, and merge of equal streams gives the first", () => {
  const up = altUp(sizes);
  const params = up.init(5);
  const x = mul(randn([B, T, C], { seed: 2 }), 7);
  const rms = (row: ArrayLike<number>) => Math.sqrt(Array.from(row).reduce((sum, y) => sum + y * y, 0) / C);
  const expanded = up.expand(params, x);
  expect(expanded.shape).toEqual([B, T, N, C]);
  for (let at = 0; at < B * T; at++)
    for (let i = 0; i < N; i++) {
      const row = expanded.data.slice((at * N + i) * C, (at * N + i + 1) * C);
      expect(rms(row)).toBeCloseTo(rms(x.data.slice(at * C, (at + 1) * C)), 4);
    }
  const identity = {
    ...params,
    merge: params.merge.map(() => ({
      weight: tensor([
        [1, 0, 0, 0],
        [0, 1, 0, 0],
        [0, 0, 1, 0],
        [0, 0, 0, 1],
      ]),
    })),
  };
  const allZero = up.addToOthers(mul(expanded, 0), zeros([B, T, C]));
  expect(up.merge(identity, allZero).data.every((y) => y === 0)).toBe(true);
  const equal = up.expand({ ...params, expand: identity.merge }, x);
  expect(up.merge(identity, equal).data).toBeAllclose(x.data, close);
});

test("withActive replaces the active stream, and addToOthers adds to the streams after the first", () => {
  const up = altUp({ ...sizes, active: 1 });
  const x = randn([B, T, C], { seed: 9 });
  const replaced = up.withActive(streams, x);
  expect(up.activeOf(replaced).data).toEqual(x.data);
  for (const i of [0, 2]) expect(streamAt(replaced, i).data).toEqual(streamAt(streams, i).data);
  const added = up.addToOthers(streams, x);
  expect(streamAt(added, 0).data).toEqual(streamAt(streams, 0).data);
  expect(streamAt(added, 2).data).toEqual(add(streamAt(streams, 2), x).data);
});

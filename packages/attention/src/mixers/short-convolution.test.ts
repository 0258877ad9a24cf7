import {
  causalConv,
  flip,
  mul,
  pad,
  randn,
  reshape,
  slice,
  tensor,
  transpose,
  type Tensor,
} from "@qkv/tensor";
import { expect, test } from "vitest";
import { mix } from "./mix.js";
import { shortConvolution } from "./short-convolution.js";

const [B, H, T, K, N] = [2, 2, 6, 3, 3];
const random = (shape: number[], seed: number) => randn(shape, { seed, dtype: "float64" });
const [query, key, value] = [1, 2, 3].map((seed) => random([B, H, T, K], seed)) as [Tensor, Tensor, Tensor];
const taps = random([H, K, N], 4);

/** Largest difference from the gated sum of the last N gated inputs, by loops. */
function errorOf(mixer: ReturnType<typeof shortConvolution>): number {
  const { output } = mix(mixer, { query, key, value, taps });
  const bx = mul(key, value).data;
  const errors = output.data.map((x, i) => {
    const [channel, h, t] = [i % K, Math.floor(i / (T * K)) % H, Math.floor(i / K) % T];
    let total = 0;
    for (let n = 0; n < N; n++) {
      const from = t - N + 1 + n;
      if (from >= 0) total += taps.data[(h * K + channel) * N + n]! * bx[i + (from - t) * K]!;
    }
    return Math.abs(x - query.data[i]! * total);
  });
  return Math.max(...errors);
}

test("output t is the gated sum of the last N gated inputs", () => {
  expect(errorOf(shortConvolution())).toBeLessThan(1e-12);
  expect(mix(shortConvolution(), { query, key, value, taps }).state.inputs.shape).toEqual([B, H, N - 1, K]);
});

type Inputs = Record<"query" | "key" | "value" | "taps", Tensor>;
test.each<[string, (inputs: Inputs) => Partial<Inputs>]>([
  ["whose first tap meets the newest token", ({ taps }) => ({ taps: flip(taps, 2) })],
  ["that exchanges its gates", ({ query, key }) => ({ query: key, key: query })],
  [
    "whose gate of the output is that of the token before",
    ({ query }) => ({ query: slice(pad(query, 2, 1, 0), 2, 0, T) }),
  ],
])("negative control: one %s is seen", (_, change) => {
  const right = shortConvolution();
  const wrong = {
    ...right,
    ownForm: (call: Parameters<typeof right.ownForm>[0]) =>
      right.ownForm({ ...call, inputs: { ...call.inputs, ...change(call.inputs) } }),
  };
  expect(errorOf(wrong)).toBeGreaterThan(1e-3);
});

test("with gates of 1, it equals the causal convolution of ONNX, with bias", () => {
  const open = mul(query, 0);
  const gates = { query: addOne(open), key: addOne(open) };
  const bias = random([H, K], 5);
  const { output } = mix(shortConvolution(), { ...gates, value, taps, bias });
  const x = reshape(transpose(value), [B, H * K, T]);
  const plain = causalConv(x, reshape(taps, [H * K, 1, N]), { bias: reshape(bias, [H * K]) }).output;
  reshape(transpose(output), [B, H * K, T]).data.forEach((number, i) =>
    expect(number).toBeCloseTo(plain.data[i]!, 12),
  );
});

const addOne = (x: Tensor): Tensor =>
  tensor(
    x.data.map(() => 1),
    { shape: x.shape, dtype: "float64" },
  );

test("with the taps [0, 0, 1], earlier tokens have no influence", () => {
  const last = tensor([0, 0, 1], { shape: [1, 1, 3], dtype: "float64" });
  const one = (x: Tensor) => slice(slice(x, 1, 0, 1), 3, 0, 1);
  const inputs = { query: one(query), key: one(key), value: one(value) };
  const { output } = mix(shortConvolution(), { ...inputs, taps: last });
  expect([...output.data]).toEqual([...mul(inputs.query, mul(inputs.key, inputs.value)).data]);
});

test("taps for another number of channels are refused", () => {
  expect(() => mix(shortConvolution(), { query, key, value, taps: random([H, K + 1, N], 4) })).toThrow(
    /mix: `taps` has shape \[2, 4, 3\], expected \[H, 3, N\]/,
  );
});

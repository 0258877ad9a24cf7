import { randn } from "@qkv/tensor";
import type { AttentionInputs, CheckCase } from "./subject.js";

const normal = (count: number, seed: number, scale = 1) =>
  Float32Array.from(randn([count], { seed }).data as Float32Array, (x) => x * scale);

const product = (M: number, K: number, N: number) => () => ({
  M,
  K,
  N,
  a: normal(M * K, 1),
  b: normal(K * N, 2),
});

type Sizes = readonly [H: number, T: number, S: number, D: number];

const attention = ([H, T, S, D]: Sizes, more: Partial<AttentionInputs> = {}, scale = 1) => ({
  H,
  T,
  S,
  D,
  query: normal(H * T * D, 1, scale),
  key: normal(H * S * D, 2, scale),
  value: normal(H * S * D, 3),
  ...more,
});

/** `[T, S]`, 1 where `sees` is true. */
const maskOf = (T: number, S: number, sees: (query: number, key: number) => boolean) =>
  Uint8Array.from({ length: T * S }, (_, i) => Number(sees(Math.floor(i / S), i % S)));

/** Of float32 sums in any order. */
const close = 1e-4;

/**
 * Small computations at which programs on GPUs have been wrong without an error: sizes that fill no tile, long sums, sums in
 * float16, rows that see nothing, large logits, NaN where masked.
 */
export function checkCases(): CheckCase[] {
  return [
    {
      kind: "matmul",
      name: "matmul, odd sizes",
      finds: "edges of tiles",
      tolerance: close,
      inputs: product(37, 53, 29),
    },
    {
      kind: "matmul",
      name: "matmul, one row",
      finds: "the path of decoding",
      tolerance: close,
      inputs: product(1, 1027, 131),
    },
    {
      kind: "matmul",
      name: "matmul, sums of 16,384",
      finds: "loops that end early",
      tolerance: close,
      inputs: product(5, 16384, 7),
    },
    {
      kind: "matmul",
      name: "matmul, sums beyond float16",
      finds: "sums in float16",
      tolerance: close,
      inputs: () => {
        const [M, K, N] = [5, 4096, 5];
        const six = (count: number, step: number) =>
          Float32Array.from({ length: count }, (_, i) => 6 + (i % step) / 64);
        return { M, K, N, a: six(M * K, 7), b: six(K * N, 11) };
      },
    },
    {
      kind: "attention",
      name: "attention, odd sizes",
      finds: "edges of tiles",
      tolerance: close,
      inputs: () => attention([3, 37, 53, 17]),
    },
    {
      kind: "attention",
      name: "attention, causal",
      finds: "masks that are one off",
      tolerance: close,
      inputs: () => attention([2, 65, 70, 32], { mask: "causal" }),
    },
    {
      kind: "attention",
      name: "attention, 8,192 keys",
      finds: "long sequences",
      tolerance: close,
      inputs: () => attention([1, 3, 8192, 16]),
    },
    {
      kind: "attention",
      name: "attention, rows that see nothing",
      finds: "NaN, or the mean of what is masked",
      tolerance: close,
      inputs: () =>
        attention([2, 9, 40, 8], { mask: maskOf(9, 40, (query, key) => query % 3 !== 0 && key < 31) }),
    },
    {
      kind: "attention",
      name: "attention, NaN where masked",
      finds: "masks that are added or multiplied",
      tolerance: close,
      inputs: () => {
        const [H, T, S, D] = [1, 5, 33, 8];
        const made = attention([H, T, S, D], { mask: maskOf(T, S, (_, key) => key !== 7) });
        for (let d = 0; d < D; d++) made.key[7 * D + d] = made.value[7 * D + d] = NaN;
        return made;
      },
    },
    {
      kind: "attention",
      name: "attention, logits of 10,000",
      finds: "exp without the largest subtracted",
      // A float32 score of this size is itself up to 1e-3 off.
      tolerance: 1e-2,
      inputs: () => attention([2, 17, 40, 16], {}, 50),
    },
    {
      kind: "attention",
      name: "attention, equal scores",
      finds: "weights that do not sum to 1",
      tolerance: close,
      inputs: () => {
        const sizes: Sizes = [1, 4, 1000, 8];
        return attention(sizes, { query: new Float32Array(4 * 8), value: new Float32Array(8000).fill(1) });
      },
    },
  ];
}

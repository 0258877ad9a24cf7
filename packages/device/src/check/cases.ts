import { randn } from "@qkv/tensor";
import type { AttentionInputs, CheckCase } from "./subject.js";

const randomNormal = (count: number, seed: number, scale = 1) =>
  Float32Array.from(randn([count], { seed }).data as Float32Array, (x) => x * scale);

const matmulInputs = (M: number, K: number, N: number) => () => ({
  M,
  K,
  N,
  a: randomNormal(M * K, 1),
  b: randomNormal(K * N, 2),
});

type Sizes = readonly [H: number, T: number, S: number, D: number];

/** Random inputs. `scale` multiplies queries and keys; `more` replaces inputs or adds a mask. */
const attentionInputs = ([H, T, S, D]: Sizes, more: Partial<AttentionInputs> = {}, scale = 1) => ({
  H,
  T,
  S,
  D,
  query: randomNormal(H * T * D, 1, scale),
  key: randomNormal(H * S * D, 2, scale),
  value: randomNormal(H * S * D, 3),
  ...more,
});

/** A mask `[T, S]`: 1 where `sees` is true, else 0. */
const denseMask = (T: number, S: number, sees: (query: number, key: number) => boolean) =>
  Uint8Array.from({ length: T * S }, (_, i) => Number(sees(Math.floor(i / S), i % S)));

/** Relative error of float32 sums, in whatever order they are added. */
const float32Tolerance = 1e-4;

/**
 * Small computations that have returned wrong numbers on GPUs without an error: sizes that are not multiples of a tile, long
 * sums, sums in float16, fully masked rows, large logits, NaN in masked keys.
 */
export function checkCases(): CheckCase[] {
  return [
    {
      kind: "matmul",
      name: "matmul, odd sizes",
      finds: "mistakes at the edges of tiles",
      tolerance: float32Tolerance,
      inputs: matmulInputs(37, 53, 29),
    },
    {
      kind: "matmul",
      name: "matmul, one row",
      finds: "mistakes of the kernel for one row (decoding)",
      tolerance: float32Tolerance,
      inputs: matmulInputs(1, 1027, 131),
    },
    {
      kind: "matmul",
      name: "matmul, sums of 16,384",
      finds: "loops that end early",
      tolerance: float32Tolerance,
      inputs: matmulInputs(5, 16384, 7),
    },
    {
      kind: "matmul",
      name: "matmul, sums beyond float16",
      finds: "sums in float16",
      tolerance: float32Tolerance,
      inputs: () => {
        const [M, K, N] = [5, 4096, 5];
        // Products of about 36: a sum of 4,096 of them exceeds 65,504, the largest float16.
        const nearSix = (count: number, period: number) =>
          Float32Array.from({ length: count }, (_, i) => 6 + (i % period) / 64);
        return { M, K, N, a: nearSix(M * K, 7), b: nearSix(K * N, 11) };
      },
    },
    {
      kind: "attention",
      name: "attention, odd sizes",
      finds: "mistakes at the edges of tiles",
      tolerance: float32Tolerance,
      inputs: () => attentionInputs([3, 37, 53, 17]),
    },
    {
      kind: "attention",
      name: "attention, causal",
      finds: "masks that are one off",
      tolerance: float32Tolerance,
      inputs: () => attentionInputs([2, 65, 70, 32], { mask: "causal" }),
    },
    {
      kind: "attention",
      name: "attention, 8,192 keys",
      finds: "mistakes in long sequences",
      tolerance: float32Tolerance,
      inputs: () => attentionInputs([1, 3, 8192, 16]),
    },
    {
      kind: "attention",
      name: "attention, rows that see nothing",
      finds: "NaN, or the mean of what is masked",
      tolerance: float32Tolerance,
      inputs: () =>
        attentionInputs([2, 9, 40, 8], {
          mask: denseMask(9, 40, (query, key) => query % 3 !== 0 && key < 31),
        }),
    },
    {
      kind: "attention",
      name: "attention, NaN where masked",
      finds: "masks that are added or multiplied",
      tolerance: float32Tolerance,
      inputs: () => {
        const [H, T, S, D] = [1, 5, 33, 8];
        const inputs = attentionInputs([H, T, S, D], { mask: denseMask(T, S, (_, key) => key !== 7) });
        for (let d = 0; d < D; d++) inputs.key[7 * D + d] = inputs.value[7 * D + d] = NaN;
        return inputs;
      },
    },
    {
      kind: "attention",
      name: "attention, logits of 10,000",
      finds: "exp without the largest subtracted",
      // float32 numbers of this size are 1e-3 apart, so a score is off by up to 5e-4 before any arithmetic.
      tolerance: 1e-2,
      inputs: () => attentionInputs([2, 17, 40, 16], {}, 50),
    },
    {
      kind: "attention",
      name: "attention, equal scores",
      finds: "weights that do not sum to 1",
      tolerance: float32Tolerance,
      inputs: () => {
        const sizes: Sizes = [1, 4, 1000, 8];
        return attentionInputs(sizes, {
          query: new Float32Array(4 * 8),
          value: new Float32Array(8000).fill(1),
        });
      },
    },
  ];
}

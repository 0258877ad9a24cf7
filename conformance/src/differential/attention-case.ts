import { and, attention, causal, maskTensor, padding, slidingWindow } from "@qkv/attention";
import * as ops from "@qkv/tensor";
import type { Mask } from "@qkv/attention-contract";
import { tensor, type Tensor } from "@qkv/tensor";
import type { Case } from "./case.js";
import { laidOut, numbers } from "./inputs.js";
import type { Random } from "./random.js";

/** Attention, or its gradients, under one of several masks. */
export function attentionCase(random: Random, backward: boolean): Case {
  const [B, Hkv, D, Dv] = [
    1 + random(2),
    1 + random(2),
    random.choose(1, 3, 8, 64),
    random.choose(1, 8, 12, 64),
  ];
  const H = Hkv * (1 + random(3));
  const T = random.choose(1, 2, 63, 64, 65, 130);
  const S = T + random.choose(0, 1, 64, 300);
  const kind = random.choose(
    "ordinary",
    "denormal",
    "huge scores",
    ...(backward ? [] : ["infinite", "not a number"]),
  );
  const numbersOf = kind === "huge scores" ? "ordinary" : kind;
  const seen = numbers(random, [B, H, T, S], "ordinary").data as Float32Array;
  const masks: (Mask | undefined)[] = [
    undefined,
    causal(),
    slidingWindow(1 + random(70)),
    and(causal(), padding(Array.from({ length: B }, () => random(S + 1)))),
    maskTensor(
      tensor(
        [...seen].map((x) => x > 1),
        { shape: [B, H, T, S] },
      ),
    ),
  ];
  const mask = random.choose(...masks);
  const scale = kind === "huge scores" ? 1e4 / (16 * D) : 1 / Math.sqrt(D);
  // Contiguous positions, or permuted ones for each batch element or each key-value head.
  const lists = random.choose(0, B, B * Hkv);
  const order = (_: unknown, n: number) => ((n % S) + 7 * Math.floor(n / S)) % S;
  const positions = lists > 0 ? Int32Array.from({ length: lists * S }, order) : { start: 0 };
  const attend = (query: Tensor, key: Tensor, value: Tensor) =>
    attention(query, { key: [key], value: [value], positions }, { scale, ...(mask && { mask }) });
  const inputs = [
    laidOut(random, [B, H, T, D], numbersOf),
    laidOut(random, [B, Hkv, S, D], numbersOf),
    laidOut(random, [B, Hkv, S, Dv], numbersOf),
  ];
  // Scores around 10 000 have an absolute error of about 1e-3 in float32, and so have the weights.
  const tolerance =
    kind === "huge scores" ? { relative: 2e-2, absolute: 2e-2 } : { relative: 3e-5, absolute: 3e-5 };
  if (!backward) return { inputs, f: (q, k, v) => attend(q!, k!, v!), tolerance };
  const f = (...at: Tensor[]) => {
    const gradients = ops.grad(([q, k, v]: Tensor[]) =>
      ops.sum(ops.mul(attend(q!, k!, v!), attend(q!, k!, v!))),
    )(at);
    return ops.concat(
      gradients.map((g) => ops.reshape(g, [-1])),
      0,
    );
  };
  return {
    inputs,
    f,
    tolerance: { relative: 50 * tolerance.relative, absolute: scale * S * 50 * tolerance.absolute },
  };
}

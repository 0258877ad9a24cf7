import { expandDims, pad, reshape, slice, squeeze } from "@qkv/tensor";
import type { FactoredScan } from "./scan.js";

/** A scan of n steps for each token, `[B, H, T · n, …]` with a token's steps side by side, whose query reads after the last. */
export function severalSteps(scan: FactoredScan): FactoredScan {
  return ({ query, ...steps }, state) => {
    const [B, H, T, K] = query.shape as [number, number, number, number];
    const n = steps.key.shape[2]! / T;
    if (n === 1) return scan({ query, ...steps }, state);
    const spread = reshape(pad(expandDims(query, 3), 3, n - 1, 0), [B, H, T * n, K]);
    const result = scan({ query: spread, ...steps }, state);
    const perToken = reshape(result.output, [B, H, T, n, steps.value.shape[3]!]);
    return { ...result, output: squeeze(slice(perToken, 3, n - 1), 3) };
  };
}

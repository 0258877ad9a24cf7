import { checks, ShapeError } from "@qkv/core";
import type { EvictionScore } from "@qkv/attention-contract";
import { checkTensor, type Tensor } from "@qkv/tensor";

/**
 * Refuses an update without queries if the eviction score reads them, and queries that do not match the keys
 * `[B, Hkv, T, D]`.
 */
export function checkQuery(score: EvictionScore, key: Tensor, query: Tensor | undefined): void {
  if (score.queryWindow === 0) return;
  const check = checks("update", { argument: "query" });
  const fix =
    "give the queries of the new tokens as fourth argument, rotated as the keys are; layers of attention do.";
  if (query === undefined)
    check.refuse({ received: query, expected: `a tensor, which ${score.name} scores tokens by`, fix });
  const { shape, dtype } = checkTensor("update", "query", query);
  const [B, Hkv, T, D] = key.shape as [number, number, number, number];
  const fits = shape.length === 4 && shape[0] === B && shape[2] === T && shape[3] === D;
  if (fits && shape[1]! > 0 && shape[1]! % Hkv === 0 && dtype === key.dtype) return;
  const expected = `${key.dtype} [${B}, numHeads, ${T}, ${D}] with numHeads a multiple of ${Hkv}`;
  check.refuse({ received: `${dtype} [${shape.join(", ")}]`, expected, fix }, ShapeError);
}

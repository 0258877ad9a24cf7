import { checks, ShapeError } from "@qkv/core";
import type { Tensor } from "@qkv/tensor";
import { keyLengths, refuseType, type Places, type ScoreMod } from "@qkv/attention-contract";
import { denseLookup } from "./dense-lookup.js";

/**
 * Converts a dense bias, broadcastable to `[B, H, T, S]`, to a rule that looks up the number of each pair. Columns are stored keys if
 * the keys have no gaps, else positions.
 */
export function denseBias(
  fn: string,
  bias: Tensor,
  query: Tensor,
  { batches, heads, queries, keys, positions, firstQuery }: Places,
): ScoreMod["apply"] {
  const { shape, dtype } = bias;
  const firstKey = "start" in positions ? positions.start : 0;
  const full = [batches, heads, queries, Math.max(...keyLengths(positions, keys, batches)) - firstKey];
  const missing = 4 - shape.length;
  if (missing < 0 || shape.some((length, axis) => length !== 1 && length !== full[missing + axis])) {
    const expected = `a shape that broadcasts to [B, H, T, S] = [${full.join(", ")}]`;
    const fix = "each length must be equal, or 1; axes may be missing at the left.";
    checks(fn).refuse({ argument: "bias", received: shape, expected, fix }, ShapeError);
  }
  if (dtype === "bool") {
    const fix = "pass which keys are seen as `mask: maskTensor(visible)`.";
    const expected = "numbers that are added to scores";
    checks(fn).refuse({ argument: "bias", received: "a bool tensor", expected, fix });
  }
  if (dtype !== query.dtype) refuseType(fn, "bias", bias, query);
  const added = denseLookup(bias, { positions, firstQuery });
  return (score, at) => {
    // Without scores there is nothing to look up.
    if (shape.includes(0)) return score;
    const number = added(at);
    // −∞ masks a key whatever its score; adding it would not, if the score is NaN.
    return number.equal(-Infinity).where(-Infinity, score.add(number));
  };
}

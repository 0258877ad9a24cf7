import { refuse, refuseShape } from "@qkv/core";
import { checkTensor, tensor, type KeyValues, type Tensor } from "@qkv/tensor";
import { lookup } from "@qkv/tensor/expressions";
import { keyLengthsOf } from "@qkv/tensor/key-values";
import { scoreMod, type ScoreMod } from "../score-mod.js";

/** Where the keys and queries of a call stand. */
export type Places = {
  readonly keys: number;
  readonly positions: KeyValues["positions"];
  readonly firstQuery: number | Int32Array;
};

/**
 * A bias written out, `[B, H, T, S]` or what broadcasts to it, as a rule that looks each number up. Columns are keys as
 * they are stored where those have no gaps, else positions.
 */
export function denseBias(
  fn: string,
  bias: Tensor,
  query: Tensor,
  { keys: S, positions, firstQuery }: Places,
): ScoreMod {
  const [B, H, T] = query.shape as [number, number, number];
  const keyLength = Math.max(...keyLengthsOf(positions, S));
  const full = [B, H, T, "start" in positions ? S : keyLength];
  const { shape, dtype } = checkTensor(fn, "bias", bias);
  const missing = 4 - shape.length;
  if (missing < 0 || shape.some((length, axis) => length !== 1 && length !== full[missing + axis])) {
    refuseShape(
      fn,
      "bias",
      shape,
      `a shape that broadcasts to [B, H, T, S] = [${full.join(", ")}]`,
      "each length must be equal, or 1; axes may be missing at the left.",
    );
  }
  if (dtype !== query.dtype) {
    refuse(
      fn,
      "bias",
      dtype === "bool" ? "a bool tensor" : dtype,
      dtype === "bool" ? "numbers that are added to scores" : `of type ${query.dtype}, as the query is`,
      dtype === "bool"
        ? "pass which keys are seen as `mask: maskTensor(visible)`."
        : `use \`cast(bias, "${query.dtype}")\`, or cast the query.`,
    );
  }
  const firstKey = "start" in positions ? positions.start : 0;
  const { device } = query;
  const first =
    typeof firstQuery === "number" ? firstQuery : tensor(firstQuery, { dtype: query.dtype, device });
  return scoreMod((score, at) => {
    const start = typeof first === "number" ? first : lookup(first, at.batch);
    const places = [at.batch, at.head, at.query.sub(start), at.key.sub(firstKey)];
    // Nothing to look up where there are no scores.
    if (shape.includes(0)) return score;
    const added = lookup(bias, ...shape.map((length, axis) => (length === 1 ? 0 : places[missing + axis]!)));
    // −∞ hides a key, whatever its score is: NaN − ∞ would not.
    return added.equal(-Infinity).where(-Infinity, score.add(added));
  }, "bias");
}

import { checks, ShapeError } from "@qkv/core";
import { isTensor, type Tensor } from "@qkv/tensor";
import { lookup, toExpr, type Expr, type ScoreMod } from "@qkv/attention-contract";
import { scoreMod } from "../score-mod.js";
import { checkTable } from "./check-table.js";

/**
 * ALiBi: subtracts `slope[h] · |i − j|` from each score, so distant keys get less weight. Each head has its own slope, from steep to
 * flat. There are no learned parameters, and models can be used beyond the lengths on which they were trained.
 *
 * @param heads - H, for the paper's slopes; or slopes `[H]` of your own, to which gradients flow.
 * @param options - `scale`: factor of the paper's slopes. Default 1; Falcon has `1 / √D`, as it adds the bias to dot products.
 * @returns A bias for {@link attention}.
 * @throws {ArgumentError} If `heads` is not an integer of at least 1. {@link ShapeError} if slopes are not `[H]`.
 * @see "Train Short, Test Long: Attention with Linear Biases" (2021), arXiv:2108.12409
 *
 * @example
 * ```ts
 * import { zeros } from "@qkv/tensor";
 * import { alibi, causal, tracedAttention } from "@qkv/attention";
 *
 * const x = zeros([1, 8, 3, 4]); // [B, H, T, D]: all keys match equally
 * const { scores } = tracedAttention(x, x, x, { mask: causal(), bias: alibi(8) }, ["scores"]);
 * [...scores.data.slice(6, 9)]; // => [-1, -0.5, 0]
 * ```
 */
export function alibi(heads: number | Tensor, options?: { scale?: number }): ScoreMod {
  const check = checks("alibi");
  const { scale = 1 } = check.options(options, ["scale"]);
  check.finite({ scale }, { above: 0, fix: "leave it out for the paper's slopes." });
  if (isTensor(heads)) {
    const shape = checkTable("alibi", "heads", heads);
    if (shape.length !== 1 || shape[0] === 0) {
      const fix = "give one slope for each head, or the number of heads for the paper's slopes.";
      check.refuse({ argument: "heads", received: shape, expected: "[H]", fix }, ShapeError);
    }
    if (scale !== 1) {
      const fix = "multiply your slopes by it.";
      check.refuse({ argument: "scale", received: scale, expected: "none beside slopes of your own", fix });
    }
    return farther((head) => lookup(heads, head), `alibi([${shape[0]}])`, shape[0]!);
  }
  const fix = "give the number of query heads, or a tensor of slopes.";
  check.whole({ heads }, { min: 1, unit: "heads", fix });
  const { power, rest } = steps(heads);
  const exponent = (head: Expr) => {
    const first = head.add(1).mul(-8 / power);
    return rest
      ? head.less(power).where(
          first,
          head
            .sub(power)
            .mul(2)
            .add(1)
            .mul(-4 / power),
        )
      : first;
  };
  const slope = (head: Expr) => toExpr(2).pow(exponent(head));
  if (scale === 1) return farther(slope, `alibi(${heads})`, heads);
  return farther((head) => slope(head).mul(scale), `alibi(${heads}, { scale: ${scale} })`, heads);
}

/**
 * The slopes of the ALiBi paper: if the number of heads is a power of two, powers of `2^(−8 / H)`; otherwise those of
 * the next smaller power of two, followed by every second slope of the next larger one.
 *
 * @example
 * ```ts
 * import { alibiSlopes } from "@qkv/attention";
 *
 * alibiSlopes(4); // => [0.25, 0.0625, 0.015625, 0.00390625]
 * alibiSlopes(3); // => [0.0625, 0.00390625, 0.25]
 * ```
 */
export function alibiSlopes(numHeads: number): number[] {
  checks("alibiSlopes").whole(
    { numHeads },
    { min: 1, max: 2 ** 16, unit: "heads", fix: "count the query heads." },
  );
  const { power } = steps(numHeads);
  return Array.from({ length: numHeads }, (_, head) =>
    head < power ? 2 ** ((head + 1) * (-8 / power)) : 2 ** (((head - power) * 2 + 1) * (-4 / power)),
  );
}

/** The largest power of two that is at most `numHeads`, and the number of heads beyond it. */
function steps(numHeads: number): { power: number; rest: number } {
  const power = 2 ** Math.floor(Math.log2(numHeads));
  return { power, rest: numHeads - power };
}

function farther(slope: (head: Expr) => Expr, name: string, numHeads: number): ScoreMod {
  return scoreMod((score, at) => score.sub(at.query.sub(at.key).abs().mul(slope(at.head))), name, numHeads);
}

import { checks, sizeOf, type Checks } from "@qkv/core";
import { isTensor, reshape, slice, sub, type Tensor } from "@qkv/tensor";

/** A differentiable function of the logits `[B, T, V]` of a run, which returns a tensor of one element. */
export type Metric = (logits: Tensor) => Tensor;

/**
 * The logit of a token, or its difference from that of another, in the first text of a batch.
 *
 * @param options - `token`: its id. `minus`: the id of the other token, default none. `position`: default the last.
 * @returns A metric for {@link activationPatching}, {@link attributionPatching}, {@link pathPatching} and saliency.
 * @throws {ArgumentError} If an id is not an integer of at least 0.
 *
 * @example
 * ```ts
 * import { tensor } from "@qkv/tensor";
 * import { logitDifference } from "@qkv/lens";
 *
 * logitDifference({ token: 1, minus: 0 })(tensor([[[1, 2], [3, 7]]])).toNested(); // => 4
 * ```
 */
export function logitDifference(options: { token: number; minus?: number; position?: number }): Metric {
  const check = checks("logitDifference");
  const { token, minus, position } = check.options(options, ["token", "minus", "position"]);
  check.whole({ token }, { min: 0, fix: "give the id of a token." });
  if (minus !== undefined) check.whole({ minus }, { min: 0, fix: "give the id of a token." });
  if (position !== undefined) check.whole({ position }, { min: 0, fix: "count tokens from 0." });
  return (logits) => {
    const [, T, V] = logits.shape as [number, number, number];
    const at = position ?? T - 1;
    check.whole({ position: at }, { max: T - 1, fix: `count tokens from 0; the text has ${T}.` });
    for (const [name, id] of Object.entries({ token, minus }))
      if (id !== undefined)
        check.whole(
          { [name]: id },
          { max: V - 1, fix: `give the id of a token: each position has ${V} logits.` },
        );
    const row = slice(slice(logits, 0, 0, 1), 1, at, at + 1);
    const logitAt = (id: number) => reshape(slice(row, 2, id, id + 1), []);
    return minus === undefined ? logitAt(token) : sub(logitAt(token), logitAt(minus));
  };
}

/** Evaluates a metric. Refuses a result that is not a tensor of one element. */
export function evaluateMetric(check: Checks, metric: Metric, logits: Tensor): Tensor {
  const value: unknown = metric(logits);
  const fix = "return the tensor itself, without `async`: `logitDifference({ token, minus })` does.";
  const isNumber = (x: unknown) => isTensor(x) && sizeOf(x.shape) === 1;
  check.each({ "metric(logits)": value }, isNumber, "a tensor of one element", fix);
  return value as Tensor;
}

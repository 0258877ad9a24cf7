import { checks, defineBrand } from "@qkv/core";
import {
  call,
  checkScoreSizes,
  type NumberFunction,
  type ScoreMod,
  type ScoreSizes,
} from "@qkv/attention-contract";

declare const __VERSION__: string;
const brand = /* @__PURE__ */ defineBrand("attention/ScoreMod", 1, __VERSION__);

/**
 * Modifies each score by a rule. The function is called once, with symbolic values whose methods record the arithmetic.
 * Any device runs the recorded expression, and its derivative is exact, including for tensors that it looks up.
 *
 * As `scoreMod` it stands between softcap and bias; as `weightMod` after softmax, on weights.
 *
 * @param apply - Gets the score and `at`: `batch`, `head`, and the positions `query` and `key`.
 * @param name - For messages. Default: the function's name.
 * @param numHeads - Number of heads that the rule has numbers for, where it looks them up by `at.head`. Default: any.
 * @throws {ArgumentError} If it is not a function. The call that records it refuses a rule that uses symbols as JavaScript
 *   numbers (`score - 1`, `at.query >= at.key`), or whose result leaves recorded steps unused, as after `? :` and `&&`.
 * @see "Flex Attention" (2024), arXiv:2412.05496
 *
 * @example
 * ```ts
 * import { zeros } from "@qkv/tensor";
 * import { attentionWeights, scoreMod } from "@qkv/attention";
 *
 * const x = zeros([1, 1, 2, 4]); // [B, H, T, D]: all keys match equally
 * const favourFirst = scoreMod((score, at) => at.key.equal(0).where(score.add(Math.log(3)), score));
 * attentionWeights(x, x, { scoreMod: favourFirst }).toNested(); // => [[[[0.75, 0.25], [0.75, 0.25]]]]
 * ```
 */
export function scoreMod(apply: ScoreMod["apply"], name?: string, numHeads?: number): ScoreMod {
  const check = checks("scoreMod");
  check.type({ apply }, "function", "write `scoreMod((score, at) => score.sub(at.query.sub(at.key)))`.");
  if (name !== undefined) check.type({ name }, "string");
  if (numHeads !== undefined) check.whole({ numHeads }, { min: 1, unit: "heads" });
  const made: ScoreMod = {
    name: name ?? (apply.name === "" ? "scoreMod(…)" : apply.name),
    apply,
    ...(numHeads !== undefined && { numHeads }),
  };
  return Object.assign(made, { [brand.key]: brand.stamp });
}

/**
 * Modifies each score by any function of numbers. It runs on devices in host memory; on other devices, the call falls
 * back to the plain device.
 *
 * @param f - `(score, batch, head, query, key) => number`
 * @param options - `derivative`: the slope of `f` in the score. Without it there is no gradient.
 *
 * @example
 * ```ts
 * import { zeros } from "@qkv/tensor";
 * import { attentionWeights, scoreModFunction } from "@qkv/attention";
 *
 * const x = zeros([1, 1, 2, 4]);
 * const even = scoreModFunction((score, _b, _h, _q, key) => (key % 2 === 0 ? score : -Infinity));
 * attentionWeights(x, x, { scoreMod: even }).toNested(); // => [[[[1, 0], [1, 0]]]]
 * ```
 */
export function scoreModFunction(f: NumberFunction, options?: { derivative?: NumberFunction }): ScoreMod {
  const check = checks("scoreModFunction");
  check.type({ f }, "function", "write `scoreModFunction((score, batch, head, query, key) => 2 * score)`.");
  const { derivative } = check.options(options, ["derivative"]);
  if (derivative !== undefined) check.type({ derivative }, "function");
  const slope =
    derivative ??
    (() =>
      check.refuse({
        argument: "derivative",
        received: undefined,
        expected: "a function, since a gradient is taken",
        fix: "gradients need the derivative of `f`. Pass `{ derivative: (score) => … }`, or write `f` with `scoreMod`, which is differentiated automatically.",
      }));
  const asNumber: NumberFunction = (...place) => {
    const changed = f(...place);
    if (typeof changed === "number") return changed;
    const fix = "return a number in each branch; `key <= query ? score : -Infinity` masks.";
    return check.refuse({
      argument: "f",
      received: changed,
      expected: "a function that returns a number",
      fix,
    });
  };
  return scoreMod(
    (score, at) => call(score, at, asNumber, slope),
    f.name === "" ? "scoreModFunction(…)" : f.name,
  );
}

/** The rule of a score mod, or of a function in its place. Refuses all else, and a mod for another number of heads. */
export function checkScoreMod(
  fn: string,
  argument: string,
  value: unknown,
  sizes: ScoreSizes,
): ScoreMod["apply"] {
  if (typeof value === "function") return value as ScoreMod["apply"];
  if (!brand.has(value)) {
    checks(fn).refuse({
      argument,
      received: value,
      expected: "a score mod: `scoreMod((score, at) => …)`, or that function",
      fix: "note the arithmetic with the methods of the symbolic score.",
    });
  }
  const mod = value as ScoreMod;
  checkScoreSizes(fn, argument, mod, sizes);
  return mod.apply;
}

import { checks, ShapeError } from "@qkv/core";
import { broadcastTo, checkTensor, expandDims, repeat, type Tensor } from "@qkv/tensor";
import type { Mixer, MixerSizes } from "./mixer.js";

type Inputs = Readonly<Record<string, Tensor>>;

/** Inputs of a mixer, checked and brought to one number of heads. */
export type CheckedInputs = {
  readonly inputs: Inputs;
  readonly sizes: MixerSizes;
  /** Lengths of all axes but H. */
  readonly lengths: Readonly<Record<string, number>>;
  readonly batchSize: number;
  readonly seqLen: number;
  /** Heads of the output. */
  readonly numHeads: number;
  /** Heads that have a state of their own: each is read by `numHeads / numStates` neighbouring query heads. */
  readonly numStates: number;
};

/**
 * Checks the inputs of a mixer against the axes that it declares. H stands for any divisor of the number of heads, as
 * in grouped-query attention; inputs of fewer heads are repeated. A gate `[B, H, T]` becomes `[B, H, T, 1]`.
 *
 * @throws {ArgumentError} If an input is missing, or the mixer does not take it.
 * @throws {ShapeError} If an input does not have the axes that the mixer declares, with the lengths of the others.
 */
export function checkInputs(
  fn: string,
  mixer: Pick<Mixer<string, string>, "name" | "inputs" | "optional">,
  given: Inputs,
): CheckedInputs {
  const axesOf: Readonly<Record<string, string>> = { ...mixer.inputs, ...mixer.optional };
  const check = checks(fn);
  check.options(given, Object.keys(axesOf), "inputs");
  const names = Object.keys(axesOf).filter((name) => name in mixer.inputs || given[name] !== undefined);
  const lengths: Record<string, number> = {};
  const heads: Record<string, number> = {};
  const matched = names.map((name) => {
    const { shape, dtype } = checkTensor(fn, name, given[name]);
    const first = given[names[0]!]!;
    if (dtype !== first.dtype)
      check.refuse({
        argument: name,
        received: dtype,
        expected: `${first.dtype}, as \`${names[0]}\``,
        fix: "`cast` one of them.",
      });
    const axes = alternatives(axesOf[name]!).find(
      (axes) => axes.length === shape.length && fits(axes, shape, lengths),
    );
    if (axes === undefined) {
      const expected = alternatives(axesOf[name]!)
        .map((axes) => described(axes, lengths))
        .join(" or ");
      const fix = `${mixer.name} takes it with these axes; H divides the number of heads.`;
      return check.refuse({ argument: name, received: shape, expected, fix }, ShapeError);
    }
    axes.forEach((axis, i) => {
      if (axis === "H") heads[name] = shape[i]!;
      else lengths[axis] ??= shape[i]!;
    });
    return { name, axes };
  });
  const others = names.filter((name) => name !== "query" && name in heads).map((name) => heads[name]!);
  const numStates = Math.max(1, ...others);
  const numHeads = Math.max(numStates, heads["query"] ?? 1);
  const uneven = names.find(
    (name) => name in heads && !divides(heads[name]!, name === "query" ? numHeads : numStates),
  );
  if (uneven !== undefined || !divides(numStates, numHeads)) {
    const argument = uneven ?? "query";
    check.refuse(
      {
        argument,
        received: `${heads[argument]} heads`,
        expected: `a number of heads that fits ${numStates} others`,
        fix: "give a divisor of it, or, for queries, a multiple.",
      },
      ShapeError,
    );
  }
  const inputs = matched.map(({ name, axes }) => {
    const x = given[name]!;
    const at = axes.indexOf("H");
    const times = at < 0 ? 1 : numHeads / x.shape[at]!;
    const whole = times === 1 ? x : x.shape[at] === 1 ? sharedByHeads(x, at, times) : repeat(x, times, at);
    return [name, /^B H n?T$/.test(axes.join(" ")) ? expandDims(whole, -1) : whole] as const;
  });
  return {
    inputs: Object.fromEntries(inputs),
    sizes: { keyDim: lengths["K"] ?? 1, valueDim: lengths["V"] ?? 1 },
    lengths,
    batchSize: lengths["B"]!,
    seqLen: lengths["T"]!,
    numHeads,
    numStates,
  };
}

/** One head as many: a view. */
const sharedByHeads = (x: Tensor, at: number, numHeads: number): Tensor =>
  broadcastTo(
    x,
    x.shape.map((length, i) => (i === at ? numHeads : length)),
  );

const alternatives = (axes: string): string[][] => axes.split(" | ").map((one) => one.split(" "));

const divides = (part: number, whole: number): boolean => part > 0 && whole % part === 0;

/** Tells axes whose known lengths are those of a shape. `nT` is any multiple of T. */
const fits = (
  axes: readonly string[],
  shape: readonly number[],
  lengths: Readonly<Record<string, number>>,
): boolean =>
  axes.every((axis, i) =>
    axis === "nT" && lengths["nT"] === undefined
      ? divides(lengths["T"]!, shape[i]!)
      : axis === "H" || lengths[axis] === undefined || lengths[axis] === shape[i],
  );

const described = (axes: readonly string[], lengths: Readonly<Record<string, number>>): string =>
  `[${axes.map((axis) => lengths[axis] ?? axis).join(", ")}]`;

import { allocateArray, checks, ShapeError } from "@qkv/core";
import { checkTensor, run, Tensor, type TypedArray } from "@qkv/tensor";
import { placesOf, type Positions } from "./places-of.js";
import type { RotaryLayout } from "./check-layout.js";
import { rotateOp } from "./rotate.js";

/** Rotation frequencies of the pairs of a head. */
export type PairRotation = {
  /** Radians per position, one for each pair. */
  readonly frequencies: Float64Array;
  /** Factor by which a rotated pair is multiplied. */
  readonly scale: (pair: number, position: number) => number;
};

/** The last cosine and sine tables of one embedding. Queries and keys of all layers request the same ones one after another. */
export type Tables = { last?: { start: number; cos: Tensor; sin: Tensor } };

/**
 * Rotates each token of x, `[B, H, T, D]`, by its position.
 *
 * @param pairRotation - Returns the frequencies, given the largest position plus 1.
 */
export function rotateByPosition(
  fn: string,
  x: Tensor,
  positions: Positions,
  { headDim, layout, tables }: { headDim: number; layout: RotaryLayout; tables: Tables },
  pairRotation: (length: number) => PairRotation,
): Tensor {
  if (checkTensor(fn, "x", x).shape.length !== 4 || x.shape[3] !== headDim) {
    const expected = `[B, H, T, ${headDim}], as headDim is ${headDim}`;
    const fix = `make the ${fn} with the head dimension of x as headDim.`;
    checks(fn).refuse({ argument: "x", received: x.shape, expected, fix }, ShapeError);
  }
  const B = x.shape[0]!;
  const T = x.shape[2]!;
  const start = (positions as { start?: number } | undefined)?.start;
  const { last } = tables;
  const attributes = { layout, inverse: false };
  if (last && last.start === start && last.cos.shape[0] === T && hasSameTypeAndDevice(last.cos, x))
    return run(rotateOp, [x, last.cos, last.sin], attributes);
  const given = placesOf(fn, positions, B, T);
  const perBatch = given.length !== T;
  const { frequencies, scale } = pairRotation(
    given.reduce((length, place) => Math.max(length, place + 1), 0),
  );
  const half = frequencies.length;
  // Angles are computed in float64: in float32, an angle is off by 1e-3 rad at position 16384.
  const cos = allocateArray(x.dtype, given.length * half, fn);
  const sin = allocateArray(x.dtype, given.length * half, fn);
  for (let t = 0, at = 0; t < given.length; t++) {
    for (let i = 0; i < half; i++, at++) {
      const factor = scale(i, given[t]!);
      cos[at] = factor * Math.cos(given[t]! * frequencies[i]!);
      sin[at] = factor * Math.sin(given[t]! * frequencies[i]!);
    }
  }
  // Resident: a scope does not free the tables, since later calls reuse them.
  const table = (array: TypedArray) =>
    new Tensor(x.device, x.device.fromHost(x.dtype, array), perBatch ? [B, T, half] : [T, half]);
  const made = { cos: table(cos), sin: table(sin) };
  if (start !== undefined) tables.last = { start, ...made };
  return run(rotateOp, [x, made.cos, made.sin], attributes);
}

function hasSameTypeAndDevice(a: Tensor, b: Tensor): boolean {
  return a.dtype === b.dtype && a.device === b.device;
}

/** Refuses sizes and bases that no rotary embedding can have. */
export function checkRotary(fn: string, headDim: number, rotaryDim: number, base: number): void {
  const check = checks(fn);
  const isEven = Number.isInteger(rotaryDim) && rotaryDim % 2 === 0;
  const fix =
    "RoPE rotates pairs of numbers: choose an even size, or rotate only an even part with `rotaryDim`.";
  const expected = `an even number from 0 to headDim = ${headDim}`;
  if (!Number.isInteger(headDim) || headDim < 0) check.whole({ headDim }, { min: 0, fix });
  check.each(
    rotaryDim === headDim ? { headDim } : { rotaryDim },
    () => isEven && rotaryDim >= 0 && rotaryDim <= headDim,
    expected,
    fix,
  );
  check.finite({ base }, { above: 0, fix: "leave it out for 10000, or take the model's `rope_theta`." });
}

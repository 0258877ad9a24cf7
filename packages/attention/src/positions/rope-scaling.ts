/** Angle per position of each pair of numbers, and the factor of the rotated pairs. */
export type RotaryFrequencies = {
  /** Radians per position, one for each pair. */
  readonly frequencies: Float64Array;
  /** 1, or the factor by which the scaling sharpens scores of long texts (its root: queries and keys both have it). */
  readonly attentionFactor: number;
};

/** Inputs of a scaling. */
export type RotaryFrequenciesOptions = {
  readonly base: number;
  readonly rotaryDim: number;
  /** The largest position of the call, plus 1. */
  readonly length: number;
};

/** Extends a rotary embedding to longer texts than those of the training; a value for `rope({ scaling })`. */
export type RopeScaling = {
  readonly name: string;
  rotaryFrequencies(options: RotaryFrequenciesOptions): RotaryFrequencies;
};

/** Pair i rotates by `base^(−2i / rotaryDim)` per position. */
export function plainFrequencies(base: number, rotaryDim: number): Float64Array {
  return Float64Array.from({ length: rotaryDim / 2 }, (_, i) => base ** ((-2 * i) / rotaryDim));
}

/** The fix in errors of scalings for numbers out of range. */
export const fromModel = "take it from the model's `rope_scaling`; 1 is no scaling.";

import type { RopeScaling } from "@qkv/attention";

/** Options of {@link proportionalRope}. */
export type ProportionalRopeOptions = {
  /** The fraction of a head's pairs that rotate, above 0 and at most 1. */
  share: number;
  /** Divides the frequencies of the rotated pairs. Default 1. */
  factor?: number;
};

/**
 * Rotates only the pairs with the highest frequencies (Gemma 4); the frequencies of the others are 0. Unlike with `rotaryDim`,
 * frequencies and dimensions of the pairs are those of a fully rotated head.
 */
export function proportionalRope({ share, factor = 1 }: ProportionalRopeOptions): RopeScaling {
  return {
    name: `proportional({ share: ${share}, factor: ${factor} })`,
    rotaryFrequencies({ base, rotaryDim }) {
      const rotated = Math.floor((share * rotaryDim) / 2);
      const frequencies = Float64Array.from({ length: rotaryDim / 2 }, (_, i) =>
        i < rotated ? base ** ((-2 * i) / rotaryDim) / factor : 0,
      );
      return { frequencies, attentionFactor: 1 };
    },
  };
}

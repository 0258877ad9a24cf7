import type { RopeScaling } from "@qkv/attention";

/** Options of {@link proportionalRope}. */
export type ProportionalRopeOptions = {
  /** The fraction of a head's pairs that rotate, above 0 and at most 1. */
  share: number;
  /** Divides the frequencies of the rotated pairs. Default 1. */
  factor?: number;
};

/**
 * Rotates the fast pairs of a head and leaves the slow ones as they are (Gemma 4). Pairs have the angles, and the places in
 * the head, that they have when all rotate, unlike those of a rotary embedding of part of a head (`rotaryDim`).
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

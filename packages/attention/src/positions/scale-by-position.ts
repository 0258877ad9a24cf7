import { checks, ShapeError, type Checks } from "@qkv/core";
import { checkTensor, mul, tensor, type Tensor } from "@qkv/tensor";
import { placesOf } from "./places-of.js";
import type { Positions } from "./places-of.js";

/** Scales queries by their positions. */
export type QueryScale = {
  /** The call that created it: `scaleByPosition(llama4Temperature)`. */
  readonly name: string;
  /** `[B, H, T, D]` with each token at its position, to the same shape. */
  apply(query: Tensor, positions: Positions): Tensor;
};

/**
 * Scales each query by a factor of its absolute position: an inverse temperature that may grow with the context. In a
 * long context softmax is flatter, as more keys share it; a factor such as {@link llama4Temperature} or `s · ln(position +
 * 1)` sharpens it again. Layers without rotary positions use it (iRoPE). Factor 1 changes nothing, keys and cache stay
 * as they are.
 *
 * @param factor - From a position, counted from 0, to a finite number.
 * @returns A value for the option `queryScale` of layers, applied after QK-norm and rotary positions.
 * @throws {ArgumentError} If `factor` is not a function, or returns a value that is not a finite number.
 * @see "Scalable-Softmax Is Superior for Attention" (2025), arXiv:2501.19399
 *
 * @example
 * ```ts
 * import { ones } from "@qkv/tensor";
 * import { scaleByPosition } from "@qkv/attention";
 *
 * const query = ones([1, 1, 3, 1]); // [B, H, T, D]
 * scaleByPosition((position) => position + 1).apply(query, { start: 0 }).toNested(); // => [[[[1], [2], [3]]]]
 * ```
 */
export function scaleByPosition(factor: (position: number) => number): QueryScale {
  const check: Checks = checks("scaleByPosition");
  check.type({ factor }, "function", "write `scaleByPosition(llama4Temperature())`.");
  return {
    name: `scaleByPosition(${factor.name || "factor"})`,
    apply(query, positions) {
      const { shape, dtype, device } = checkTensor("scaleByPosition", "query", query);
      if (shape.length !== 4) {
        const fix = "give queries by head.";
        check.refuse({ argument: "query", received: shape, expected: "[B, H, T, D]", fix }, ShapeError);
      }
      const [B, , T] = shape as [number, number, number, number];
      const places = placesOf("scaleByPosition", positions, B, T);
      const factors = places.map((place) => factor(place));
      const wrong = factors.findIndex((one) => !Number.isFinite(one));
      if (wrong >= 0) {
        check.refuse({
          argument: "factor",
          received: factors[wrong],
          expected: `a finite number at position ${places[wrong]}`,
          fix: "give a number for each position from 0 on.",
        });
      }
      const column = places.length === T ? [T, 1] : [B, 1, T, 1];
      return mul(query, tensor(factors, { shape: column, dtype, device }));
    },
  };
}

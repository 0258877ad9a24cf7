import { ArgumentError, checkOptions, checks, eachRow, refuseShape, sizeOf } from "@qkv/core";
import { floatTensor } from "../float-tensor.js";
import { run, type Op } from "../op.js";
import type { Tensor } from "../tensor.js";
import { logarithm } from "./normal.js";
import { fillUniforms, seedKey } from "./uniforms.js";

export const categoricalOp: Op<{ key: [number, number]; draw: number }> = {
  name: "categorical",
  infer: ([logits]) => [{ shape: logits!.shape.slice(0, -1), dtype: "int32" }],
  flops: ([logits]) => 3 * sizeOf(logits!.shape),
  kernel([logits], [out], { key, draw }) {
    const axis = logits!.shape.length - 1;
    const V = logits!.shape[axis]!;
    const step = logits!.strides[axis]!;
    const uniforms = new Float64Array(V);
    let row = 0;
    eachRow(
      logits!.shape.slice(0, axis),
      [logits!.strides.slice(0, axis)],
      [logits!.offset],
      ([i], [di], n) => {
        for (let k = 0; k < n; k++, row++) {
          fillUniforms(uniforms, key, row * V, draw);
          // Gumbel-max trick: the argmax of the logits plus Gumbel noise, -log(-log u), is a sample of softmax(logits).
          let best = -Infinity;
          let choice = -1;
          for (let v = 0; v < V; v++) {
            const score = logits!.array[i! + k * di! + v * step]! - logarithm(-logarithm(uniforms[v]!));
            if (score > best) [best, choice] = [score, v];
          }
          if (choice < 0) throw noClassError(row);
          out!.array[row] = choice;
        }
      },
    );
  },
};

function noClassError(row: number): ArgumentError {
  return new ArgumentError({
    fn: "categorical",
    argument: "logits",
    received: `row ${row}, without a number above -∞`,
    expected: "a class that can be chosen in each row",
    fix: "leave at least one class unmasked, and look for NaN in the model's output.",
  });
}

/**
 * Samples a class for each row of logits, with the probabilities `softmax(logits)`. The same seed gives the same sample
 * in every engine.
 *
 * @param logits - `[…, V]`. Classes with −∞ are never sampled.
 * @param options - `seed`: an integer. `draw`: index of the draw, default 0. Draws of one seed are independent:
 *   step t of a generation takes `categorical(logits, { seed, draw: t })`.
 * @returns int32 `[…]`, from 0 to V - 1.
 * @throws {ArgumentError} If all logits of a row are −∞.
 * @see "A* Sampling" (2014), arXiv:1411.0030, for the Gumbel-max trick
 *
 * @example
 * ```ts
 * import { categorical, tensor } from "@qkv/tensor";
 *
 * categorical(tensor([-Infinity, 0, -Infinity]), { seed: 1 }).toNested(); // => 1
 * ```
 */
export function categorical(logits: Tensor, options: { seed: number; draw?: number }): Tensor {
  const { seed, draw = 0 } = checkOptions("categorical", options, ["seed", "draw"]);
  checks("categorical").whole({ draw }, { min: 0 });
  if (floatTensor("categorical", "logits", logits).shape.length === 0) {
    refuseShape(
      "categorical",
      "logits",
      [],
      "[…, V]: a number for each class",
      "give a vector of logits, or rows of them.",
    );
  }
  return run(categoricalOp, [logits], { key: seedKey("categorical", seed), draw });
}

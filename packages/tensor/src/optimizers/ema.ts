import { checks } from "@qkv/core";
import { add } from "../ops/add.js";
import { mul } from "../ops/mul.js";
import { resident } from "../resident.js";
import type { Tensor } from "../tensor.js";
import { mapTensors, tensorsOf } from "../tree.js";
import { trainable } from "./optimizer.js";
import { overwrite } from "./overwrite.js";

/** A moving average of params over training steps. */
export type ParamAverage = {
  /** The average before the first update: a copy of the params. */
  init<P>(params: P): P;
  /**
   * Updates the average by the params, in place.
   *
   * @param step - Number of updates of the params, as `state.step`. Default: so many that the full decay applies.
   */
  update<P>(average: P, params: P, step?: number): void;
};

/**
 * An exponential moving average of params: `average ← decay · average + (1 − decay) · params` after each step. It often
 * generalizes better than the params, and is evaluated or exported instead of them.
 *
 * The decay of early steps is smaller, `(1 + step) / (10 + step)`, so that the initial weights lose their influence quickly.
 *
 * @param options - `decay`: from 0 to below 1; 0.999 averages about the last 1000 steps.
 * @throws {ArgumentError} If the decay is out of range, or if the nesting of the average differs from that of the params.
 * @see "Acceleration of Stochastic Approximation by Averaging" (1992); the decay of early steps is TensorFlow's
 *
 * @example
 * ```ts
 * import { tensor } from "@qkv/tensor";
 * import { ema } from "@qkv/tensor/optimizers";
 *
 * const params = { w: tensor([0]) };
 * const average = ema({ decay: 0.75 });
 * const smooth = average.init(params);
 * params.w.data[0] = 8; // as an optimizer changes it
 * average.update(smooth, params);
 * smooth.w.toNested(); // => [2]
 * ```
 */
export function ema(options: { decay: number }): ParamAverage {
  const check = checks("ema");
  const { decay } = check.options(options, ["decay"]);
  check.finite({ decay }, { min: 0, below: 1, fix: "0.999 looks back at about the last 1000 steps." });
  return {
    init(params) {
      trainable("ema", params);
      return mapTensors(params, copied);
    },
    update(average, params, step = Infinity) {
      const paramTensors = trainable("ema", params);
      const averageTensors = [...trainable("ema", average)];
      if (step !== Infinity) check.whole({ step }, { min: 0, unit: "updates" });
      const stepDecay = step === Infinity ? decay : Math.min(decay, (1 + step) / (10 + step));
      const fix = "give what `init(params)` returned.";
      const fits = () =>
        averageTensors.length === paramTensors.size &&
        averageTensors.every(([path, x]) => isLike(x, paramTensors.get(path)));
      check.each({ average }, fits, "tensors nested as the params are, on their device", fix);
      tensorsOf(params)[0]?.device.scope(() => {
        for (const [path, x] of averageTensors)
          overwrite(x, add(mul(x, stepDecay), mul(paramTensors.get(path)!, 1 - stepDecay)));
      });
    },
  };
}

/** A resident copy. */
const copied = (x: Tensor): Tensor => x.device.scope(() => resident(mul(x, 1)));

const isLike = (x: Tensor, y: Tensor | undefined): boolean =>
  y !== undefined && x.dtype === y.dtype && x.device === y.device && x.shape.join() === y.shape.join();

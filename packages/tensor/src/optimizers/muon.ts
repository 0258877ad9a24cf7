import { checkOptions, checks, refuseShape } from "@qkv/core";
import { floatTensor } from "../float-tensor.js";
import { add } from "../ops/add.js";
import { div } from "../ops/div.js";
import { matmul } from "../ops/matmul.js";
import { mul } from "../ops/mul.js";
import { norm } from "../ops/norm.js";
import { reshape } from "../ops/reshape.js";
import { sub } from "../ops/sub.js";
import { transpose } from "../ops/transpose.js";
import type { Tensor } from "../tensor.js";
import { checkDecay } from "./check-decay.js";
import { defineOptimizer, type Optimizer } from "./optimizer.js";
import { overwrite } from "./overwrite.js";
import { checkRate, type Schedule } from "./schedules.js";

/**
 * Orthogonalizes matrices approximately: sets their singular values to between 0.7 and 1.2 and keeps their singular vectors, by a few
 * steps of a quintic Newton–Schulz iteration, which needs only matrix products.
 *
 * @param x - `[…, rows, columns]`
 * @param options - `steps`: default 5. `eps`: added to the norm by which the matrix is first divided, default 1e-7.
 * @returns The shape of `x`.
 * @throws {ShapeError} If `x` has fewer than two axes.
 * @see "Muon: An optimizer for hidden layers in neural networks" (2024), https://kellerjordan.github.io/posts/muon/
 *
 * @example
 * ```ts
 * import { norm, tensor } from "@qkv/tensor";
 * import { orthogonalize } from "@qkv/tensor/optimizers";
 *
 * const x = tensor([[100, 0], [0, 2]]);
 * norm(orthogonalize(x, { steps: 8 }), { axis: 1 }).data.every((size) => size > 0.6 && size < 1.3); // => true
 * ```
 */
export function orthogonalize(x: Tensor, options?: { steps?: number; eps?: number }): Tensor {
  const { steps = 5, eps = 1e-7 } = checkOptions("orthogonalize", options, ["steps", "eps"]);
  checks("orthogonalize").whole({ steps }, { min: 1 });
  checks("orthogonalize").finite({ eps }, { above: 0 });
  const [rows, columns] = floatTensor("orthogonalize", "x", x).shape.slice(-2) as [number, number];
  if (columns === undefined)
    refuseShape("orthogonalize", "x", x.shape, "[…, rows, columns]", "`reshape` it to a matrix.");
  const wide = rows > columns ? transpose(x) : x;
  let y = div(wide, add(norm(wide, { axis: [-2, -1], keepDims: true }), eps));
  // Jordan's coefficients: the largest slope at 0 for which the iteration stays close to 1.
  const [a, b, c] = [3.4445, -4.775, 2.0315];
  for (let step = 0; step < steps; step++) {
    const square = matmul(y, transpose(y));
    const factor = add(mul(square, b), mul(matmul(square, square), c));
    y = add(mul(y, a), matmul(factor, y));
  }
  return rows > columns ? transpose(y) : y;
}

/** Options of Muon. */
export type MuonOptions = {
  /** Default 0.02. */
  learningRate?: number | Schedule;
  /** Decay rate of the mean gradient. Default 0.95. */
  momentum?: number;
  /** True for Nesterov momentum: the step uses the mean of the next update. Default true. */
  nesterov?: boolean;
  /** Decoupled weight decay, as in AdamW. Default 0. */
  weightDecay?: number;
  /** Steps of the Newton–Schulz iteration. Default 5. */
  steps?: number;
};

/**
 * Muon: each matrix steps by its orthogonalized mean gradient, so that rare directions have the same weight as frequent ones. For the
 * matrices of hidden layers: assign embeddings, the output layer, norms and biases to AdamW by `paramGroups`. A param of four axes or
 * more, such as a convolution's weight, is a matrix of its first axis by the others.
 * State: `mean`.
 *
 * @throws {ArgumentError} If an option is out of range.
 * @throws {ShapeError} In `update`, if a param has fewer than two axes.
 * @see "Muon: An optimizer for hidden layers in neural networks" (2024), https://kellerjordan.github.io/posts/muon/;
 *   "Muon is Scalable for LLM Training" (2025), arXiv:2502.16982
 *
 * @example
 * ```ts
 * import { tensor } from "@qkv/tensor";
 * import { adamW, muon, paramGroups } from "@qkv/tensor/optimizers";
 *
 * const optimizer = paramGroups(
 *   [{ params: (path, { shape }) => shape.length >= 2 && !path.includes("embedding"), optimizer: muon() }],
 *   adamW(),
 * );
 * const state = optimizer.init({ weight: tensor([[1, 2]]), bias: tensor([0]) });
 * Object.keys(state.moments); // => ["mean", "meanSquare"]
 * ```
 */
export function muon(options?: MuonOptions): Optimizer {
  const names = ["learningRate", "momentum", "nesterov", "weightDecay", "steps"] as const;
  const checked = checkOptions("muon", options, names);
  const { learningRate = 0.02, momentum = 0.95, nesterov = true, weightDecay = 0, steps = 5 } = checked;
  checkDecay("muon", "momentum", momentum);
  checks("muon").type({ nesterov }, "boolean");
  checkRate("muon", "weightDecay", weightDecay);
  checks("muon").whole({ steps }, { min: 1 });
  return defineOptimizer(
    "muon",
    learningRate,
    ["mean"],
    ({ param, gradient, moments: [mean], rate }) => {
      param.device.scope(() => {
        const { shape } = param;
        overwrite(mean!, lerp(mean!, gradient, 1 - momentum));
        const slope = nesterov ? lerp(gradient, mean!, momentum) : mean!;
        const matrix = shape.length > 3 ? reshape(slope, [shape[0]!, -1]) : slope;
        const direction = reshape(orthogonalize(matrix, { steps }), shape);
        const [rows, columns] = shape.slice(-2) as [number, number];
        const size = rate * Math.sqrt(Math.max(1, rows / columns));
        overwrite(param, sub(mul(param, 1 - rate * weightDecay), mul(direction, size)));
      });
    },
    shapeOfMatrix,
  );
}

/** Linear interpolation from `a` to `b`. */
const lerp = (a: Tensor, b: Tensor, weight: number) => add(mul(a, 1 - weight), mul(b, weight));

/** Refuses params with fewer than two axes, before any param is changed. */
function shapeOfMatrix(_: string, shape: Tensor["shape"]): Tensor["shape"] {
  if (shape.length < 2)
    refuseShape(
      "muon",
      "params",
      shape,
      "matrices: two axes or more",
      "give norms and biases to `adamW`, by `paramGroups`.",
    );
  return shape;
}

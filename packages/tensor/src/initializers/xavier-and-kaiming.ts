import {
  checkDevice,
  checkFloat,
  checkOptions,
  checks,
  checkShape,
  type OptionName,
  refuseShape,
  type Shape,
  sizeOf,
} from "@qkv/core";
import { createTensor } from "../create.js";
import { normalQuantile } from "../random/normal.js";
import type { RandomOptions } from "../random/randn.js";
import { uniformStream } from "../random/uniforms.js";
import type { Tensor } from "../tensor.js";

/** Options of Xavier's initialization. */
export type XavierOptions = RandomOptions & {
  /** Multiplies every number: depends on the activation that follows. Default 1. */
  gain?: number;
};

/** Options of Kaiming's initialization. */
export type KaimingOptions = XavierOptions & {
  /** Preserves the variance of activations (`"fanIn"`, default) or of gradients (`"fanOut"`). */
  mode?: "fanIn" | "fanOut";
};

/** The number of inputs and of outputs of a weight `[out, in, …window]`. */
function fans(fn: string, shape: Shape): { fanIn: number; fanOut: number } {
  const [out, input, ...window] = checkShape(fn, shape);
  if (out === undefined || input === undefined)
    refuseShape(fn, "shape", shape, "[out, in, …]", "vectors, such as biases, begin with `zeros`.");
  const windowSize = sizeOf(window);
  return { fanIn: input * windowSize, fanOut: out * windowSize };
}

/** Maps a uniform number between 0 and 1 to a distribution of mean 0 and variance 1. */
type Distribution = (uniform: number) => number;

const uniformDistribution: Distribution = (uniform) => Math.sqrt(3) * (2 * uniform - 1);

function draw(
  fn: string,
  distribution: Distribution,
  shape: Shape,
  variance: number,
  options: RandomOptions,
): Tensor {
  const { dtype = "float32", device, ...stream } = options;
  if (device !== undefined) checkDevice(fn, device);
  checkFloat(fn, dtype);
  const uniforms = uniformStream(fn, stream, sizeOf(shape));
  const deviation = Math.sqrt(variance);
  return createTensor(fn, dtype, shape, device, (array) => {
    for (let i = 0; i < array.length; i++) array[i] = deviation * distribution(uniforms[i]!);
  });
}

const streamOptions = ["seed", "draw", "first", "dtype", "device"] as const;

function xavier(fn: string, distribution: Distribution, shape: Shape, options: XavierOptions): Tensor {
  const names: OptionName<XavierOptions>[] = [...streamOptions, "gain"];
  const { gain = 1, ...stream } = checkOptions(fn, options, names);
  checks(fn).finite({ gain }, { above: 0 });
  const { fanIn, fanOut } = fans(fn, shape);
  return draw(fn, distribution, shape, (2 * gain ** 2) / (fanIn + fanOut), stream);
}

function kaiming(fn: string, distribution: Distribution, shape: Shape, options: KaimingOptions): Tensor {
  const names: OptionName<KaimingOptions>[] = [...streamOptions, "gain", "mode"];
  const { gain = Math.SQRT2, mode = "fanIn", ...stream } = checkOptions(fn, options, names);
  checks(fn).finite({ gain }, { above: 0 });
  checks(fn).oneOf({ mode }, ["fanIn", "fanOut"]);
  return draw(fn, distribution, shape, gain ** 2 / fans(fn, shape)[mode], stream);
}

/**
 * Xavier (Glorot) initialization: uniformly distributed weights with variance `2 · gain² / (inputs + outputs)`.
 *
 * @param shape - `[out, in, …window]`, as the weight of `linear` or of a convolution.
 * @param options - `seed`: an integer. `gain`: default 1. `dtype`: default float32.
 * @throws {ShapeError} If the shape has fewer than two axes.
 * @see "Understanding the difficulty of training deep feedforward neural networks" (2010)
 *
 * @example
 * ```ts
 * import { xavierUniform } from "@qkv/tensor/initializers";
 *
 * const weight = xavierUniform([64, 32], { seed: 1 });
 * weight.data.every((x) => Math.abs(x) < 0.25); // => true
 * ```
 */
export function xavierUniform(shape: Shape, options: XavierOptions): Tensor {
  return xavier("xavierUniform", uniformDistribution, shape, options);
}

/**
 * Xavier (Glorot) initialization: normally distributed weights with variance `2 · gain² / (inputs + outputs)`.
 *
 * @param shape - `[out, in, …window]`, as the weight of `linear` or of a convolution.
 * @param options - `seed`: an integer. `gain`: default 1. `dtype`: default float32.
 * @throws {ShapeError} If the shape has fewer than two axes.
 * @see "Understanding the difficulty of training deep feedforward neural networks" (2010)
 *
 * @example
 * ```ts
 * import { xavierNormal } from "@qkv/tensor/initializers";
 *
 * xavierNormal([64, 32], { seed: 1 }).shape; // => [64, 32]
 * ```
 */
export function xavierNormal(shape: Shape, options: XavierOptions): Tensor {
  return xavier("xavierNormal", normalQuantile, shape, options);
}

/**
 * Kaiming (He) initialization: uniformly distributed weights with variance `gain² / inputs`, for layers before a relu.
 *
 * @param shape - `[out, in, …window]`, as the weight of `linear` or of a convolution.
 * @param options - `seed`: an integer. `mode`: `"fanIn"` (default), or `"fanOut"` to divide by the outputs. `gain`: default
 *   √2, that of relu. `dtype`: default float32.
 * @throws {ShapeError} If the shape has fewer than two axes.
 * @see "Delving Deep into Rectifiers: Surpassing Human-Level Performance on ImageNet Classification" (2015),
 *   arXiv:1502.01852
 *
 * @example
 * ```ts
 * import { kaimingUniform } from "@qkv/tensor/initializers";
 *
 * const weight = kaimingUniform([8, 6], { seed: 1 });
 * weight.data.every((x) => Math.abs(x) <= 1); // => true
 * ```
 */
export function kaimingUniform(shape: Shape, options: KaimingOptions): Tensor {
  return kaiming("kaimingUniform", uniformDistribution, shape, options);
}

/**
 * Kaiming (He) initialization: normally distributed weights with variance `gain² / inputs`, for layers before a relu.
 *
 * @param shape - `[out, in, …window]`, as the weight of `linear` or of a convolution.
 * @param options - `seed`: an integer. `mode`: `"fanIn"` (default), or `"fanOut"` to divide by the outputs. `gain`: default
 *   √2, that of relu. `dtype`: default float32.
 * @throws {ShapeError} If the shape has fewer than two axes.
 * @see "Delving Deep into Rectifiers: Surpassing Human-Level Performance on ImageNet Classification" (2015),
 *   arXiv:1502.01852
 *
 * @example
 * ```ts
 * import { kaimingNormal } from "@qkv/tensor/initializers";
 *
 * kaimingNormal([8, 6], { seed: 1, mode: "fanOut" }).shape; // => [8, 6]
 * ```
 */
export function kaimingNormal(shape: Shape, options: KaimingOptions): Tensor {
  return kaiming("kaimingNormal", normalQuantile, shape, options);
}

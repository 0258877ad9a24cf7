import { checks, refuse, sizeOf } from "@qkv/core";
import { valueAndGradFor, stopGradient } from "./grad.js";
import { tensorLike } from "./tensor-like.js";
import type { Tensor } from "./tensor.js";
import { mapTensors, tensorsOf } from "./tree.js";

/**
 * Compares the gradient of a function with central differences, one coordinate at a time: `(f(x + h) − f(x − h)) / 2h`,
 * which shares no code with it.
 *
 * @param f - Returns a tensor with one element.
 * @param x - float64 tensors: one, or nested in objects and lists.
 * @param options - `step`: h, multiplied by the magnitude of the coordinate if that is above 1. Default 1e-5. `tolerance`: the largest
 *   difference, multiplied by the magnitude of the gradient if that is above 1. Default 1e-6.
 * @throws {ArgumentError} If a difference is larger, with the worst coordinate, or if a tensor is not float64.
 *
 * @example
 * ```ts
 * import { checkGradient, randn, softmax, sum, mul } from "@qkv/tensor";
 *
 * const x = randn([3, 5], { seed: 1, dtype: "float64" });
 * const dy = randn([3, 5], { seed: 2, dtype: "float64" });
 * checkGradient((z) => sum(mul(softmax(z), dy)), x);
 * ```
 */
export function checkGradient<P>(
  f: (x: P) => Tensor,
  x: P,
  options?: { step?: number; tolerance?: number },
): void {
  const fn = "checkGradient";
  const valueAndGradient = valueAndGradFor(fn, f);
  const check = checks(fn);
  const { step = 1e-5, tolerance = 1e-6 } = check.options(options, ["step", "tolerance"]);
  check.finite({ step, tolerance }, { above: 0 });
  mapTensors(x, (input, path) => {
    if (input.dtype === "float64") return input;
    refuse(
      fn,
      path === "" ? "x" : `x.${path}`,
      input.dtype,
      "float64, for exact differences",
      'make it with `{ dtype: "float64" }`.',
    );
  });
  const [, gradient] = valueAndGradient(x);
  const gradients = tensorsOf(gradient);
  const leaves: { path: string; size: number }[] = [];
  mapTensors(x, (input, path) => {
    leaves.push({ path, size: sizeOf(input.shape) });
    return input;
  });
  let worst: { error: number; path: string; analytic: number; numeric: number } | undefined;
  leaves.forEach(({ path, size }, leaf) => {
    for (let i = 0; i < size; i++) {
      const value = tensorsOf(x)[leaf]!.data[i]!;
      const h = step * Math.max(1, Math.abs(value));
      const lossAt = (element: number): number => f(withElement(x, leaf, i, element)).data[0]!;
      const numeric = (lossAt(value + h) - lossAt(value - h)) / (2 * h);
      const analytic = gradients[leaf]!.data[i]!;
      const error = Math.abs(analytic - numeric) / Math.max(1, Math.abs(numeric));
      if (!(error <= (worst?.error ?? -1))) worst = { error, analytic, numeric, path: `${path}[${i}]` };
    }
  });
  if (!worst || worst.error <= tolerance) return;
  refuse(
    fn,
    `gradient${worst.path.startsWith("[") ? "" : "."}${worst.path}`,
    worst.analytic,
    `${worst.numeric}, as central differences give (off by ${worst.error.toExponential(2)}, tolerance ${tolerance})`,
    "check the backward of f's operations; at a kink of f, move x away from it.",
  );
}

/** The same tensors with one element of tensor `leaf` replaced. */
function withElement<P>(x: P, leaf: number, index: number, value: number): P {
  let n = 0;
  return mapTensors(x, (input) => {
    if (n++ !== leaf) return stopGradient(input);
    const data = Float64Array.from(input.data);
    data[index] = value;
    return tensorLike(data, input.shape, "float64", input);
  });
}

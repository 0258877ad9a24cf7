import { checkDevice, checkFloat, checks } from "@qkv/core";
import { js, tensor, type Device, type Tensor } from "@qkv/tensor";

/** Window functions: `povey`, Kaldi's, is `hann` to the power of 0.85. */
export type WindowName = "hann" | "hamming" | "povey" | "boxcar";

/** Options of {@link windowFunction}. */
export type WindowOptions = {
  /**
   * True (default): periodic, for Fourier transforms. False: symmetric, with the last sample equal to the first.
   */
  periodic?: boolean;
  /** Default float32. */
  dtype?: "float32" | "float64";
  /** Default: the plain device. */
  device?: Device;
};

const shapes: Readonly<Record<WindowName, (angle: number) => number>> = {
  hann: (angle) => 0.5 - 0.5 * Math.cos(angle),
  hamming: (angle) => 0.54 - 0.46 * Math.cos(angle),
  povey: (angle) => (0.5 - 0.5 * Math.cos(angle)) ** 0.85,
  boxcar: () => 1,
};

/**
 * A window function, which multiplies frames of a waveform, equal to those of numpy and `torch.hann_window`.
 *
 * @param name - `hann`, `hamming`, `povey` or `boxcar` (all ones).
 * @param length - Unit: samples, 1 or more.
 * @param options - `periodic`: default true. `dtype`: default float32. `device`: default the plain one.
 * @returns `[length]`
 * @throws {ArgumentError} If there is no such window, or the length is below 1.
 *
 * @example
 * ```ts
 * import { windowFunction } from "@qkv/transformer/audio";
 *
 * windowFunction("hann", 4).toNested(); // => [0, 0.5, 1, 0.5]
 * windowFunction("hann", 3, { periodic: false }).toNested(); // => [0, 1, 0]
 * ```
 */
export function windowFunction(name: WindowName, length: number, options?: WindowOptions): Tensor {
  const check = checks("windowFunction");
  check.oneOf({ name }, Object.keys(shapes), 'write "hann".');
  check.whole({ length }, { min: 1, unit: "samples" });
  const {
    periodic = true,
    dtype = "float32",
    device = js(),
  } = check.options(options, ["periodic", "dtype", "device"]);
  check.type({ periodic }, "boolean");
  checkFloat("windowFunction", dtype);
  checkDevice("windowFunction", device);
  const period = periodic ? length : Math.max(1, length - 1);
  const samples = Float64Array.from({ length }, (_, i) =>
    length === 1 ? 1 : shapes[name]((2 * Math.PI * i) / period),
  );
  return tensor(dtype === "float64" ? samples : Float32Array.from(samples), { dtype, device });
}

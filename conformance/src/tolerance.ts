/**
 * Host devices compute in float64 or float32; GPUs in float32, with another order of sums and less precise exp and
 * tanh.
 */
export type DeviceClass = "host" | "gpu";

/** Kind of the compared values. Forward results are distinguished by the dtype of the reference. */
export type Quantity =
  | "forward float32"
  | "forward float64"
  | "forward float16"
  | "gradient"
  | "logits"
  | "embedding"
  | "audio features"
  | "gray levels";

/** The limits in "What passes" of the data's README. No other limit is used. */
const limits: Record<Quantity, Record<DeviceClass, number>> = {
  "forward float32": { host: 2e-5, gpu: 1e-4 },
  // GPUs have no float64: such cases run on the plain device, with its limit.
  "forward float64": { host: 1e-9, gpu: 1e-9 },
  "forward float16": { host: 4e-3, gpu: 4e-3 },
  gradient: { host: 5e-5, gpu: 2e-4 },
  // Absolute; all others are relative to the largest reference value above 1.
  logits: { host: 1e-4, gpu: 1e-3 },
  embedding: { host: 1e-5, gpu: 1e-4 },
  // Logarithms of power spectra, which have no more precision in float32.
  "audio features": { host: 1e-4, gpu: 1e-4 },
  // For resized images, which are computed on the host.
  "gray levels": { host: 1, gpu: 1 },
};

/** The largest error that passes. */
export const tolerance = (quantity: Quantity, deviceClass: DeviceClass): number =>
  limits[quantity][deviceClass];

/**
 * The limit for an operator's outputs, from the dtypes in its case: one float16 tensor makes it a float16 case, and a float32
 * reference has float32's limit, whatever the dtype of the computation.
 */
export function forwardQuantity(
  reference: string,
  inputs: readonly string[],
): Extract<Quantity, `forward ${string}`> {
  if (reference === "float16" || inputs.includes("float16")) return "forward float16";
  return reference === "float64" ? "forward float64" : "forward float32";
}

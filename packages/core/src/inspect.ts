import { numberAt } from "./half.js";
import type { Numbers } from "./format.js";

/** Symbol of the method that `console.log` in Node calls. */
export const inspectKey: unique symbol = /* @__PURE__ */ Symbol.for("nodejs.util.inspect.custom");

/** A tensor in one line, for Node's console: shape, dtype, device, range of its numbers, and number of NaNs. */
export function inspect(x: Numbers & { readonly device: { readonly name: string } }): string {
  let [least, most, nans] = [Infinity, -Infinity, 0];
  try {
    const { data } = x;
    for (let i = 0; i < data.length; i++) {
      const value = numberAt(data, i, x.dtype);
      if (value < least) least = value;
      if (value > most) most = value;
      if (value !== value) nans++;
    }
  } catch {
    // The data cannot be read here: the scope has ended, or the device is asynchronous. Shape, dtype and device are printed.
  }
  const range = least <= most ? `, ${least} to ${most}` : "";
  return `Tensor [${x.shape.join(", ")}] ${x.dtype} on ${x.device.name}${range}${nans ? `, ${nans} NaN` : ""}`;
}

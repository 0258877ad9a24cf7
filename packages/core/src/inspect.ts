import { numberAt } from "./half.js";
import type { Numbers } from "./format.js";

/** The name of the method that `console.log` in Node calls. */
export const inspectKey: unique symbol = /* @__PURE__ */ Symbol.for("nodejs.util.inspect.custom");

/** A tensor in one line, as Node's console shows it: what it is, the range of its numbers, how many are NaN. */
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
    // Its scope has ended, or its device answers later: what it is can still be told.
  }
  const range = least <= most ? `, ${least} to ${most}` : "";
  return `Tensor [${x.shape.join(", ")}] ${x.dtype} on ${x.device.name}${range}${nans ? `, ${nans} NaN` : ""}`;
}

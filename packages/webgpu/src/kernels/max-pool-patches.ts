import type { View } from "@qkv/tensor";
import type { Context } from "../context.js";
import { valueType } from "../wgsl/element.js";
import { map } from "./map.js";
import { viewAs } from "./contiguous.js";

/** The patch of each byte, `[B, T]`, and the number of patches of each sequence. */
type Patches = { readonly ids: Int32Array; readonly numPatches: number };

/** out[b, p, c] = max of x[b, t, c] over the bytes t of patch p; 0 for a patch without bytes. */
export function maxPoolPatchesKernel(context: Context) {
  return ([x]: readonly View[], [output]: readonly View[], { ids, numPatches: P }: Patches): boolean => {
    const { dtype, strides } = x!;
    if (dtype === "float64") return false;
    const { store } = context;
    const [B, T] = x!.shape as [number, number];
    const [db, dt, dc] = strides as [number, number, number];
    // The bytes of each patch, one after the other, and the offset of its first one.
    const starts = new Int32Array(B * P + 1);
    ids.forEach((patch, n) => (starts[Math.floor(n / T) * P + patch + 1]! += 1));
    for (let n = 1; n < starts.length; n++) starts[n]! += starts[n - 1]!;
    const [next, order] = [starts.slice(), new Int32Array(ids.length)];
    ids.forEach((patch, n) => (order[next[Math.floor(n / T) * P + patch]!++] = n % T));
    const lists = [starts, order].map((list) => store.make("int32", list.length, list));
    const listed = (i: number, strides: readonly number[]) =>
      viewAs(x!, { storage: lists[i]!, dtype: "int32", shape: output!.shape, strides, offset: 0 });
    const floats = valueType(dtype) === "f32";
    try {
      return map(
        context,
        "maxPoolPatches",
        [
          viewAs(x!, { shape: output!.shape, strides: [db, 0, dc] }),
          listed(0, [P, 1, 0]),
          listed(1, [0, 0, 0]),
        ],
        output!,
        {
          // NaN propagates: `larger` returns it if one of its arguments is NaN.
          body: `var largest = ${floats ? "0.0" : "0"};
  let start = bElement(bAt);
  let end = bElement(bAt + 1);
  for (var i = start; i < end; i++) {
    let x = aElement(aAt + cElement(cAt + i) * p.step);
    if (i == start) { largest = x; } else { largest = ${floats ? "larger" : "max"}(largest, x); }
  }
  return largest;`,
          bodyReads: new Set([0, 1, 2]),
          params: (params) => params.i32("step", dt),
        },
      );
    } finally {
      for (const list of lists) store.release(list);
    }
  };
}

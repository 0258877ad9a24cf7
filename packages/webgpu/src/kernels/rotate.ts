import type { View } from "@qkv/tensor";
import type { Context } from "../context.js";
import { map } from "./map.js";
import { viewAs } from "./contiguous.js";

type Rotation = { readonly layout: "half" | "interleaved"; readonly inverse: boolean };

/** Rotary positions over [B, H, T, D] of any strides: out[d] = x[d] · cos ∓ x[partner of d] · sin. */
export function rotateKernel(context: Context) {
  return (inputs: readonly View[], [output]: readonly View[], { layout, inverse }: Rotation): boolean => {
    const [x, cos, sin] = inputs as [View, View, View];
    if (inputs.some(({ dtype }) => dtype !== "float32")) return false;
    const D = x.shape[3]!;
    const half = cos.shape.at(-1)!;
    const placed = [cos, sin].map((view) => {
      const { shape, strides } = view;
      const perBatch = shape.length === 3 && shape[0] !== 1 ? strides[0]! : 0;
      return viewAs(view, { shape: x.shape, strides: [perBatch, 0, strides.at(-2)!, 0] });
    });
    const pairs =
      layout === "half"
        ? "let high = d >= p.pairs;\n  let pair = select(d, d - p.pairs, high);\n  let partner = select(d + p.pairs, d - p.pairs, high);"
        : "let high = d % 2 == 1;\n  let pair = d / 2;\n  let partner = select(d + 1, d - 1, high);";
    return map(context, "rotate", [x, ...placed], output!, {
      variant: `${layout}${inverse}`,
      body: `let d = i32(n % p.size);
  let a = aElement(aAt);
  if (d >= 2 * p.pairs) { return a; }
  ${pairs}
  let other = aElement(aAt + (partner - d) * p.step) * cElement(cAt + pair * p.sineStep);
  let product = a * bElement(bAt + pair * p.cosineStep);
  return select(product - other, product + other, ${inverse ? "!high" : "high"});`,
      bodyReads: new Set([0, 1, 2]),
      params: (params) =>
        params
          .u32("size", D)
          .i32("pairs", half)
          .i32("step", x.strides[3]!)
          .i32("cosineStep", cos.strides.at(-1)!)
          .i32("sineStep", sin.strides.at(-1)!),
    });
  };
}

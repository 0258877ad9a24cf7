import { isContiguous } from "@qkv/core";
import { sizeOf, type Kernel, type View } from "@qkv/tensor";
import type { Context } from "../context.js";
import { Params } from "../params.js";
import { bindingsText, gridFor, mainText, threads } from "../wgsl/grid.js";

/** WGSL of an optimizer's step, which updates the parameter `P` and its moments in place from the gradient `g`. */
type Step = { readonly targets: readonly string[]; readonly body: string };

const adam = (largest: boolean): Step => ({
  targets: ["P", "M", "S", ...(largest ? ["L"] : [])],
  body: `let slope = g + p.coupled * P[i];
  let mean = p.beta1 * M[i] + p.rest1 * slope;
  let meanSquare = p.beta2 * S[i] + p.rest2 * slope * slope;
  M[i] = mean;
  S[i] = meanSquare;
  ${largest ? "let divisor = max(L[i], meanSquare);\n  L[i] = divisor;" : "let divisor = meanSquare;"}
  P[i] = p.shrink * P[i] - p.rate * mean / (sqrt(divisor * p.correction) + p.eps);`,
});

const sgd = (velocity: boolean): Step => ({
  targets: ["P", ...(velocity ? ["V"] : [])],
  body: velocity
    ? `let slope = g + p.weightDecay * P[i];
  let velocity = p.momentum * V[i] + p.taken * slope;
  V[i] = velocity;
  P[i] -= p.rate * select(velocity, slope + p.momentum * velocity, p.nesterov != 0u);`
    : "P[i] -= p.rate * (g + p.weightDecay * P[i]);",
});

/** In-place steps of optimizers. The first input is the gradient, contiguous; the outputs are the parameter and its moments. */
export function optimizerKernels(context: Context): Record<string, Kernel<never>> {
  type Attributes = Readonly<Record<string, number | boolean>>;
  const kernel =
    (op: string, stepOf: (targets: number) => Step) =>
    ([gradient]: readonly View[], targets: readonly View[], attributes: Attributes): boolean => {
      if (targets.some(({ dtype }) => dtype !== "float32")) return false;
      if (![gradient!, ...targets].every(({ shape, strides }) => isContiguous(shape, strides))) return false;
      const { store, engine } = context;
      const { targets: names, body } = stepOf(targets.length);
      const count = sizeOf(gradient!.shape);
      const params = new Params().u32("count", count).u32("gStart", gradient!.offset);
      names.forEach((name, i) => params.u32(`${name}Start`, targets[i]!.offset));
      for (const [name, value] of Object.entries(attributes)) {
        if (typeof value === "boolean") params.u32(name, Number(value));
        else params.f32(name, value);
        // 1 − β is computed in float64: from a β in float32 it would lose half of its digits.
        if (typeof value === "number" && name.startsWith("beta"))
          params.f32(`rest${name.slice(4)}`, 1 - value);
      }
      engine.record({
        op,
        key: `${op}:${names.join()}`,
        text: () => `${params.declaration}
${bindingsText({ gIn: "f32" }, Object.fromEntries(names.map((name) => [`${name}Out`, "f32"])))}
${mainText(
  threads,
  `  let i = group * ${threads}u + thread;
  if (i >= p.count) { return; }
  let g = gIn[p.gStart + i];
  ${names.reduce((text, name) => text.replaceAll(`${name}[i]`, `${name}Out[p.${name}Start + i]`), body)}`,
)}`,
        reads: [store.read(gradient!)],
        writes: targets.map((view) => store.update(view)),
        params,
        groups: gridFor(Math.ceil(count / threads)),
      });
      return true;
    };
  return {
    adam: kernel("adam", () => adam(false)),
    amsgrad: kernel("amsgrad", () => adam(true)),
    sgd: kernel("sgd", (targets) => sgd(targets > 1)),
  } as Record<string, Kernel<never>>;
}

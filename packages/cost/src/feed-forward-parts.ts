import type { ExpertsFeedForward, FeedForwardShape } from "./model-shape.js";
import { perRow, pointwise, product, tokenShift, type Part, type Rows } from "./part.js";

/** The parts of the feed-forward layer. */
export function feedForwardParts(shape: FeedForwardShape, embedDim: number, rows: Rows): Part[] {
  if (shape.kind === "none") return [];
  if (shape.kind === "dense") {
    const { shifts = 0, learned = 0 } = shape;
    return [
      ...(shifts > 0 ? [tokenShift("feed-forward token shift", rows, embedDim, shifts)] : []),
      ...denseParts("feed-forward", { ...shape, embedDim }, rows),
      ...(learned > 0
        ? [
            perRow("feed-forward activation numbers", rows, {
              parameters: learned,
              flops: 0,
              activations: 0,
              calls: 0,
            }),
          ]
        : []),
    ];
  }
  const { numExperts, sharedDim, gated, bias, sharedGate, routerBias } = shape;
  const shared =
    sharedDim === 0 ? [] : denseParts("shared expert", { embedDim, hiddenDim: sharedDim, gated, bias }, rows);
  return [
    product("router", rows, { inputs: embedDim, outputs: numExperts, bias: routerBias }),
    expertsPart(shape, embedDim, rows),
    ...shared,
    ...(sharedGate && sharedDim > 0
      ? [product("shared expert gate", rows, { inputs: embedDim, outputs: 1 })]
      : []),
  ];
}

function denseParts(
  name: string,
  shape: { embedDim: number; hiddenDim: number; gated: boolean; bias: boolean },
  rows: Rows,
): Part[] {
  const { embedDim: C, hiddenDim: F, gated, bias } = shape;
  return [
    ...(gated ? [product(`${name} gate`, rows, { inputs: C, outputs: F, bias })] : []),
    product(`${name} up`, rows, { inputs: C, outputs: F, bias }),
    pointwise(`${name} activation`, rows, F, 1),
    ...(gated ? [pointwise(`${name} gating`, rows, F, 2)] : []),
    product(`${name} down`, rows, { inputs: F, outputs: C, bias }),
  ];
}

/** The routed experts. A token uses k of them; a pass reads the weights of every expert that some token uses. */
function expertsPart(shape: ExpertsFeedForward, C: number, rows: Rows): Part {
  const { numExperts: E, expertsPerToken: k, hiddenDim: F, gated, bias } = shape;
  const parts = denseParts("experts", { embedDim: C, hiddenDim: F, gated, bias }, (run) => rows(run) * k);
  const expertParameters = parts.reduce((sum, { parameters }) => sum + parameters, 0);
  return {
    name: "experts",
    parameters: E * expertParameters,
    activeParameters: k * expertParameters,
    work(run) {
      const works = parts.map((part) => part.work(run));
      const sum = (key: "flops" | "activations" | "calls") =>
        works.reduce((total, work) => total + work[key], 0);
      // Expected number of experts that at least one token uses, if routing is uniform.
      const activeExperts = E * (1 - (1 - k / E) ** rows(run));
      return {
        // Plus the weighted sum of the experts' outputs.
        flops: sum("flops") + 2 * rows(run) * k * C,
        weights: activeExperts * expertParameters,
        activations: sum("activations"),
        cache: 0,
        calls: Math.ceil(activeExperts) * parts.length,
      };
    },
  };
}

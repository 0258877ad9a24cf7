import type { Tensor } from "@qkv/tensor";
import type { NormParams } from "../../layers/norm.js";
import type { VisionTransformerConfig, VisionTransformerParams } from "../../models/vision-transformer.js";
import { unchanged } from "../../architectures/tensor-to-write.js";
import { activationSubgraph } from "./activation-subgraph.js";
import { attentionSubgraph } from "./attention-subgraph.js";
import { feedForwardSubgraph } from "./feed-forward-subgraph.js";
import { linearSubgraph } from "./linear-subgraph.js";
import { normSubgraph } from "./norm-subgraph.js";
import type { OnnxGraph } from "./onnx-graph.js";
import { unsupportedInOnnx } from "./unsupported-in-onnx.js";

/**
 * Builds the graph of a vision transformer for images of its trained size. Input: `pixel_values`. Outputs: `last_hidden_state`, `pooler_output` if a norm or
 * head pools rows, and `logits` of a head with labels.
 */
export function visionGraph(
  g: OnnxGraph,
  config: VisionTransformerConfig,
  params: VisionTransformerParams,
): void {
  const { imageSize, patchSize, numChannels = 3, embedDim: C, numHeads, normEps: eps, head } = config;
  const { activation = "gelu", finalNorm = "rows", pooling = "cls", registers: R = 0 } = config;
  if (pooling === "attention")
    throw unsupportedInOnnx("config.pooling", pooling, "cls, the row of the class token");
  const side = Math.floor(imageSize / patchSize);
  const pixels = g.input("pixel_values", ["batch_size", numChannels, imageSize, imageSize]);
  const norm = (path: string, x: string, normParams: NormParams) =>
    normSubgraph(g, path, x, normParams, { kind: "layer", eps });
  const add = (x: string, y: string) => g.op("Add", [x, y]);
  const vector = (name: string, x: Tensor) => g.weight(unchanged(name, x));

  const { patches } = params;
  const patchGrid = g.op(
    "Conv",
    [
      pixels,
      g.weight(unchanged("patches.weight", patches.weight)),
      ...(patches.bias ? [vector("patches.bias", patches.bias)] : []),
    ],
    { kernel_shape: [patchSize, patchSize], strides: [patchSize, patchSize] },
  ); // [B, C, side, side], without incomplete patches
  const flat = g.op("Reshape", [patchGrid, g.list(0, C, side * side)]);
  let x = g.op("Transpose", [flat], { perm: [0, 2, 1] }); // [B, N, C]

  const batch = g.op("Slice", [g.op("Shape", [pixels]), g.list(0), g.list(1)]);
  /** Repeats a learned tensor for each image: `[B, count, C]`. */
  const learned = (name: string, weight: Tensor, count: number) =>
    g.op("Expand", [
      g.op("Reshape", [vector(name, weight), g.list(1, count, C)]),
      g.op("Concat", [batch, g.list(count, C)], { axis: 0 }),
    ]);
  const tokens = (["classToken", "distillationToken"] as const).flatMap((name) =>
    params[name] ? [learned(`${name}.weight`, params[name].weight, 1)] : [],
  );
  const join = (...parts: string[]) => (parts.length === 1 ? parts[0]! : g.op("Concat", parts, { axis: 1 }));
  const sliceRows = (x: string, from: number, to: number) =>
    g.op("Slice", [x, g.list(from), g.list(to), g.list(1)]);
  x = add(join(...tokens, x), vector("positions.weight", params.positions.weight));
  const numTokens = tokens.length;
  if (params.registers) {
    const registers = learned("registers.weight", params.registers.weight, R);
    x = join(sliceRows(x, 0, numTokens), registers, sliceRows(x, numTokens, numTokens + side * side));
  }
  if (params.embeddingNorm) x = norm("embeddingNorm", x, params.embeddingNorm);

  const headDim = C / numHeads;
  const scaled = (path: string, x: string, factor: Tensor | undefined) =>
    factor ? g.op("Mul", [x, vector(`${path}.layerScale`, factor)]) : x;
  params.layers.forEach(({ attention, attentionNorm, feedForward, feedForwardNorm }, i) => {
    const path = `layers.${i}`;
    const attentionOutput = attentionSubgraph(
      g,
      `${path}.attention`,
      norm(`${path}.attentionNorm`, x, attentionNorm),
      attention,
      { numHeads, numKvHeads: numHeads, headDim, scale: headDim ** -0.5, normEps: eps },
    );
    x = add(x, scaled(`${path}.attention`, attentionOutput, attention.layerScale));
    const feedForwardOutput = feedForwardSubgraph(
      g,
      `${path}.feedForward`,
      norm(`${path}.feedForwardNorm`, x, feedForwardNorm),
      feedForward,
      { activation },
    );
    x = add(x, scaled(`${path}.feedForward`, feedForwardOutput, feedForward.layerScale));
  });
  const numRows = numTokens + R + side * side;
  if (finalNorm === "rows") x = norm("finalNorm", x, params.finalNorm);
  g.op("Identity", [x], {}, g.output("last_hidden_state", ["batch_size", numRows, C]));

  const rowAt = (position: number) => g.op("Squeeze", [sliceRows(x, position, position + 1), g.list(1)]); // [B, C]
  if (finalNorm === "pooled") {
    const pooled = norm("finalNorm", rowAt(0), params.finalNorm);
    g.op("Identity", [pooled], {}, g.output("pooler_output", ["batch_size", C]));
  }
  if (!head || !params.head) return;
  if (head.normEps !== undefined) throw unsupportedInOnnx("config.head.normEps", head.normEps, "no norm");
  const mean = (from: number) =>
    g.op("ReduceMean", meanInputs(g, sliceRows(x, from, numRows)), meanAttributes(g));
  const pools: Readonly<Record<string, () => string>> = {
    cls: () => rowAt(0),
    mean: () => mean(0),
    patches: () => mean(numTokens + R),
    "cls+patches": () => g.op("Concat", [rowAt(0), mean(numTokens + R)], { axis: 1 }),
  };
  const pool = pools[head.pooling ?? "cls"];
  if (!pool)
    throw unsupportedInOnnx("config.head.pooling", head.pooling, `one of ${Object.keys(pools).join(", ")}`);
  const { dense, output, distillation } = params.head;
  let row = pool();
  if (head.activation !== undefined && dense)
    row = activationSubgraph(g, head.activation, linearSubgraph(g, "head.dense", row, dense));
  if (!output) {
    g.op("Identity", [row], {}, g.output("pooler_output", ["batch_size", C]));
    return;
  }
  const labels = g.output("logits", ["batch_size", output.weight.shape[0]!]);
  const logits = linearSubgraph(g, "head.output", row, output);
  if (!distillation) {
    g.op("Identity", [logits], {}, labels);
    return;
  }
  const distilled = linearSubgraph(g, "head.distillation", rowAt(1), distillation);
  g.op("Mul", [add(logits, distilled), g.scalar(0.5)], {}, labels);
}

/** From opset 18 on, axes are an input. */
const meanInputs = (g: OnnxGraph, x: string): string[] => (g.operators === "standard" ? [x, g.list(1)] : [x]);
const meanAttributes = (g: OnnxGraph) =>
  g.operators === "standard" ? { keepdims: 0 } : { axes: [1], keepdims: 0 };

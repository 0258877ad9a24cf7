import { cast, linear, matmul, mul, reshape, slice, sub, type Tensor } from "@qkv/tensor";
import { layerAttention, type NormParams } from "@qkv/transformer";
import { tensorNames } from "@qkv/transformer/inspection";
import type { AblatedModel } from "../patching/ablated-model.js";
import { centerRows, normScale } from "./norm-parts.js";
import type { PartKind, PartSource } from "./residual-part.js";
import { gatedHeads, residualNames } from "./residual-stream.js";

/** Gradient of a scalar with respect to n rows of a stream: one vector, times a factor for each row. */
export type RowGradient = {
  /** `[1, C]` */
  readonly vector: Tensor;
  /** `[1, n, 1]` */
  readonly factors: Tensor;
};

/** Contribution of a source to the scalar, for each row that it was written to: the gradient times the source. */
export type SourceValues = { readonly source: PartSource; readonly values: readonly number[] };

/** Backward pass through a residual stream, from one point to all sources written before it. */
export type StreamGradient = {
  /** Sources of the input of a layer's attention, after its norm. */
  attentionInput(layer: number, gradient: RowGradient): SourceValues[];
  /** Sources of the input of a layer's feed-forward layer, after its norm. */
  feedForwardInput(layer: number, gradient: RowGradient): SourceValues[];
  /** Gradient with respect to the output of a layer's attention or feed-forward layer, once the backward pass reached it. */
  output(kind: "head" | "feedForward", layer: number): RowGradient;
};

/** Ends of the names of the tensors that a backward pass from attention reads. */
export function gradientNames({ config, params, ablated }: AblatedModel): readonly string[] {
  const { placement = "pre", laurelRank, altUp, perLayerEmbedding, bytePatches, attentionGate } = config;
  const hasMixer = params.layers.some(
    ({ attention }, i) => !layerAttention(config, i) || "mixer" in attention,
  );
  const isOwn = placement !== "pre" && placement !== "parallel" && placement !== "parallelShared";
  if (isOwn || hasMixer || ablated || (laurelRank ?? altUp ?? perLayerEmbedding ?? bytePatches))
    return residualNames;
  const names = ["embeddings", "input", "heads", "feedForwardOutput"];
  return attentionGate ? [...names, "attentionInput"] : names;
}

/**
 * The sources of `residualStream`, by a backward pass: the gradient with respect to rows of the stream is propagated to the
 * output of each layer, and its dot product with that output is the contribution of the source. Norms keep their scales of the
 * run, so the stream is linear, and the gradients of all rows are one vector up to the factors of norms: one product with each
 * output projection serves all rows.
 *
 * @param rowsAt - Rows of a tensor of the run by its full name, which ends with one of {@link gradientNames}.
 * @param first - Position of the first row. Default 0.
 */
export function streamGradient(
  { config, params, ablated }: AblatedModel,
  rowsAt: (name: string) => Tensor,
  first = 0,
): StreamGradient {
  const { placement = "pre", residualScale = 1 } = config;
  const isParallel = placement === "parallel" || placement === "parallelShared";
  const outputGradients = new Map<string, RowGradient>();
  const names = new Set(tensorNames(config));
  const scaled = (g: RowGradient, factor: number | Tensor): RowGradient =>
    factor === 1 ? g : { ...g, vector: mul(g.vector, factor as Tensor) };
  /** Dot products of the gradient and rows `[1, n, C]`, or one row `[C]` for all. */
  const dotRows = ({ vector, factors }: RowGradient, x: Tensor): number[] => {
    const products = linear(x.shape.length === 1 ? reshape(x, [1, 1, x.shape[0]!]) : x, vector); // [1, n, 1]
    return Array.from(mul(factors, products).data, Number);
  };
  const sourceValues = (source: PartSource, g: RowGradient, x: Tensor): SourceValues => ({
    source,
    values: dotRows(g, x),
  });
  /** A source for the rows minus their other sources. */
  const remainder = (
    source: PartSource,
    g: RowGradient,
    rows: Tensor,
    others: readonly SourceValues[],
  ): SourceValues => {
    const values = dotRows(g, rows).map((x, n) => others.reduce((left, { values }) => left - values[n]!, x));
    return { source, values };
  };
  /** Gradient with respect to the input x of a norm, whose scale is frozen. */
  const normBackward = ({ weight }: NormParams, x: Tensor, { vector, factors }: RowGradient): RowGradient => {
    const scale = normScale(config, x);
    const weighted = mul(vector, weight);
    return { vector: centerRows(config, weighted), factors: scale ? mul(factors, scale) : factors };
  };
  const normBias = ({ bias }: NormParams, name: string, layer: number, g: RowGradient): SourceValues[] =>
    bias ? [sourceValues({ name: `${name}.bias`, kind: "bias", layer }, g, bias)] : [];

  const rowsBefore = (i: number) => rowsAt(`layers.${i}.input`);
  const rowsMiddle = (i: number) =>
    names.has(`layers.${i}.middle`) ? rowsAt(`layers.${i}.middle`) : rowsBefore(i);

  const embeddingSources = (g: RowGradient): SourceValues[] => {
    const rows = rowsAt("embeddings");
    const table = params.positions?.weight;
    const embedding: PartSource = { name: "embedding", kind: "embedding" };
    if (!table) return [sourceValues(embedding, g, rows)];
    const [, n, C] = rows.shape as [number, number, number];
    const positionRows = reshape(cast(slice(table, 0, first, first + n), rows.dtype), [1, n, C]);
    return [
      sourceValues(embedding, g, sub(rows, positionRows)),
      sourceValues({ name: "position", kind: "position" }, g, positionRows),
    ];
  };

  /** Sources of the input of a layer. */
  const before = (i: number, g: RowGradient): SourceValues[] => {
    const sources = i === 0 ? embeddingSources(g) : after(i - 1, g);
    if (!(config.altUp ?? config.bytePatches)) return sources;
    const source: PartSource = { name: `layers.${i}.streams`, kind: "residual", layer: i };
    return [...sources, remainder(source, g, rowsBefore(i), sources)];
  };

  const hasAttention = (i: number) => names.has(`layers.${i}.attentionOutput`);

  /** Sources of the rows between attention and the feed-forward layer. */
  const middle = (i: number, g: RowGradient): SourceValues[] => {
    if (!hasAttention(i)) return before(i, g);
    const { attentionNorm, attentionOutNorm } = params.layers[i]!;
    const through = (given: RowGradient) =>
      sublayer(given, {
        ...{ layer: i, at: `layers.${i}.attention`, own: attentionNorm, out: attentionOutNorm },
        rows: () => rowsBefore(i),
        below: (left) => before(i, left),
        added: (left) => attention(i, left),
      });
    if (config.laurelRank === undefined) return through(g);
    const sources = through(scaled(g, Math.SQRT1_2));
    const source: PartSource = { name: `layers.${i}.laurel`, kind: "residual", layer: i };
    return [...sources, remainder(source, g, rowsMiddle(i), sources)];
  };

  /** Sources of the output of a layer. */
  const after = (i: number, g: RowGradient): SourceValues[] => {
    const { scale, feedForwardNorm, feedForwardOutNorm } = params.layers[i]!;
    const left = config.layerScale ? scaled(g, scale!) : g;
    const sources = layerSources();
    if (!config.altUp && !config.perLayerEmbedding) return sources;
    const name = `layers.${i}.output.${config.altUp ? "streams" : "perLayerEmbedding"}`;
    return [
      ...sources,
      remainder({ name, kind: "residual", layer: i }, g, rowsAt(`layers.${i}.output`), sources),
    ];

    function layerSources(): SourceValues[] {
      const hasFeedForward = names.has(`layers.${i}.feedForwardOutput`);
      if (isParallel) {
        const added = scaled(left, residualScale);
        return [
          ...before(i, left),
          ...(hasAttention(i) ? attention(i, added) : []),
          ...(hasFeedForward ? feedForward(i, added) : []),
        ];
      }
      if (!hasFeedForward) return middle(i, left);
      return sublayer(left, {
        ...{ layer: i, at: `layers.${i}.feedForward`, own: feedForwardNorm, out: feedForwardOutNorm },
        rows: () => rowsMiddle(i),
        below: (given) => middle(i, given),
        added: (given) => feedForward(i, given),
      });
    }
  };

  /** Sources of the rows after attention or the feed-forward layer, with the norms of the model's `placement`. */
  const sublayer = (
    g: RowGradient,
    {
      layer,
      at,
      own,
      out,
      rows,
      below,
      added,
    }: {
      readonly layer: number;
      readonly at: string;
      readonly own: NormParams;
      readonly out: NormParams | undefined;
      readonly rows: () => Tensor;
      readonly below: (g: RowGradient) => SourceValues[];
      readonly added: (g: RowGradient) => SourceValues[];
    },
  ): SourceValues[] => {
    const output = () => rowsAt(`${at}Output`);
    if (placement === "post") {
      const normInput = sub(rows(), mul(output(), -residualScale));
      const left = normBackward(own, normInput, g);
      return [...below(left), ...added(scaled(left, residualScale)), ...normBias(own, `${at}Norm`, layer, g)];
    }
    const outputGradient = scaled(g, residualScale);
    if (placement === "normed") {
      const left = normBackward(own, rows(), g);
      return [...below(left), ...normBias(own, `${at}Norm`, layer, g), ...added(outputGradient)];
    }
    const norm = placement === "after" ? own : placement === "both" ? out : undefined;
    if (!norm) return [...below(g), ...added(outputGradient)];
    const name = placement === "after" ? `${at}Norm` : `${at}OutNorm`;
    return [
      ...below(g),
      ...added(normBackward(norm, output(), outputGradient)),
      ...normBias(norm, name, layer, outputGradient),
    ];
  };

  const feedForward = (i: number, g: RowGradient): SourceValues[] => {
    const name = `layers.${i}.feedForward`;
    outputGradients.set(name, g);
    return [sourceValues({ name, kind: "feedForward", layer: i }, g, rowsAt(`${name}Output`))];
  };

  /** Sources in the output of attention: each head, the bias of the output projection, and a parallel mixer. */
  const attention = (i: number, g: RowGradient): SourceValues[] => {
    const at = `layers.${i}`;
    outputGradients.set(`${at}.heads`, g);
    const attentionLayer = layerAttention(config, i);
    const kind: PartKind = attentionLayer ? "attention" : "mixer";
    const value = () => rowsAt(`${at}.attentionOutput`);
    if (!attentionLayer || ablated?.attention.has(i))
      return [sourceValues({ name: `${at}.${kind}`, kind, layer: i }, g, value())];
    const attentionParams = params.layers[i]!.attention;
    const heads = gatedHeads(attentionLayer, attentionParams, rowsAt(`${at}.attention.heads`), () =>
      rowsAt(`${at}.attentionInput`),
    );
    const [, H, n, D] = heads.shape as [number, number, number, number];
    const headGradients = reshape(linearBackward(g.vector, attentionParams.output.weight), [1, H, D, 1]);
    const products = mul(matmul(heads, headGradients), reshape(g.factors, [1, 1, n, 1])).data; // [1, H, n, 1]
    const sources = Array.from({ length: H }, (_, head): SourceValues => {
      const source: PartSource = { name: `${at}.heads.${head}`, kind: "head", layer: i, head };
      return { source, values: Array.from(products.subarray(head * n, (head + 1) * n), Number) };
    });
    const { bias } = attentionParams.output;
    if (bias) sources.push(sourceValues({ name: `${at}.attention.bias`, kind: "bias", layer: i }, g, bias));
    if (!("mixer" in attentionParams)) return sources;
    return [...sources, remainder({ name: `${at}.mixer`, kind: "mixer", layer: i }, g, value(), sources)];
  };

  const attentionInput = (i: number, g: RowGradient): SourceValues[] => {
    if (placement === "post" || placement === "after") return before(i, g);
    const attentionNorm = params.layers[i]!.attentionNorm;
    const left = normBackward(attentionNorm, rowsBefore(i), g);
    return [...before(i, left), ...normBias(attentionNorm, `layers.${i}.attentionNorm`, i, g)];
  };

  return {
    attentionInput,
    feedForwardInput(i, g) {
      if (placement === "parallelShared") return attentionInput(i, g);
      const below = isParallel ? before : middle;
      if (placement === "post" || placement === "after") return below(i, g);
      const feedForwardNorm = params.layers[i]!.feedForwardNorm;
      const left = normBackward(feedForwardNorm, isParallel ? rowsBefore(i) : rowsMiddle(i), g);
      return [...below(i, left), ...normBias(feedForwardNorm, `layers.${i}.feedForwardNorm`, i, g)];
    },
    output: (kind, layer) => outputGradients.get(`layers.${layer}.${kind === "head" ? "heads" : kind}`)!,
  };
}

/** Gradient with respect to the input of a linear map: `[1, out]` times its weight `[out, in]`, which may have 16 bits. */
export function linearBackward(vector: Tensor, weight: Tensor): Tensor {
  return matmul(vector, weight.dtype === vector.dtype ? weight : cast(weight, vector.dtype));
}

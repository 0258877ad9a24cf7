import { cast, linear, matmul, mul, reshape, slice, sub, type Tensor } from "@qkv/tensor";
import { layerAttention, type NormParams } from "@qkv/transformer";
import { tensorNames } from "@qkv/transformer/inspection";
import type { AblatedModel } from "../patching/ablated-model.js";
import { centered, normScale } from "./norm-parts.js";
import type { PartKind, PartSource } from "./residual-part.js";
import { headsBehindGate, residualNames } from "./residual-stream.js";

/** Gradient of a number with respect to rows of a stream: one vector for all rows, times a factor of each. */
export type RowGradient = {
  /** `[1, C]` */
  readonly vector: Tensor;
  /** `[1, n, 1]` */
  readonly factors: Tensor;
};

/** The part that a source adds to a number, by the row that it is written to: the gradient times the source. */
export type SourceValues = { readonly source: PartSource; readonly values: readonly number[] };

/** The way back through a residual stream, from a point of it to all that was written below. */
export type StreamGradient = {
  /** From the rows that attention of a layer reads, after its norm. */
  attentionInput(layer: number, gradient: RowGradient): SourceValues[];
  /** From the rows that the feed-forward layer of a layer reads, after its norm. */
  feedForwardInput(layer: number, gradient: RowGradient): SourceValues[];
  /** The gradient with respect to the output of attention or of a feed-forward layer that was passed on the way. */
  output(kind: "head" | "feedForward", layer: number): RowGradient;
};

/** Names of the tensors that a gradient meets on its way back from attention of a layer. */
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
 * The sources of `residualStream`, read in the other direction: a gradient with respect to rows of the stream goes back to the output of
 * each layer, and its product with what was written there is the part of each source. Norms keep the scales of the run, so the
 * stream is linear, and a gradient is the same vector in every row but for the factors of norms: all rows take one product with each
 * output map.
 *
 * @param rowsAt - The rows that are followed, of a tensor of the run by its full name: {@link gradientNames}.
 * @param first - Position of the first of these rows. Default 0.
 */
export function streamGradient(
  { config, params, ablated }: AblatedModel,
  rowsAt: (name: string) => Tensor,
  first = 0,
): StreamGradient {
  const { placement = "pre", residualScale = 1 } = config;
  const isParallel = placement === "parallel" || placement === "parallelShared";
  const passed = new Map<string, RowGradient>();
  const names = new Set(tensorNames(config));
  const scaled = (g: RowGradient, factor: number | Tensor): RowGradient =>
    factor === 1 ? g : { ...g, vector: mul(g.vector, factor as Tensor) };
  /** The gradient times rows `[1, n, C]`, or the same row `[C]` everywhere. */
  const times = ({ vector, factors }: RowGradient, x: Tensor): number[] => {
    const products = linear(x.shape.length === 1 ? reshape(x, [1, 1, x.shape[0]!]) : x, vector); // [1, n, 1]
    return Array.from(mul(factors, products).data, Number);
  };
  const valuesOf = (source: PartSource, g: RowGradient, x: Tensor): SourceValues => ({
    source,
    values: times(g, x),
  });
  /** The rest of rows, beside their sources, as one more. */
  const remainder = (
    source: PartSource,
    g: RowGradient,
    rows: Tensor,
    others: readonly SourceValues[],
  ): SourceValues => {
    const values = times(g, rows).map((x, n) => others.reduce((left, { values }) => left - values[n]!, x));
    return { source, values };
  };
  /** Before a norm of rows x. */
  const beforeNorm = ({ weight }: NormParams, x: Tensor, { vector, factors }: RowGradient): RowGradient => {
    const scale = normScale(config, x);
    const weighted = mul(vector, weight);
    return { vector: centered(config, weighted), factors: scale ? mul(factors, scale) : factors };
  };
  const shiftOf = ({ bias }: NormParams, name: string, layer: number, g: RowGradient): SourceValues[] =>
    bias ? [valuesOf({ name: `${name}.bias`, kind: "bias", layer }, g, bias)] : [];

  const rowsBefore = (i: number) => rowsAt(`layers.${i}.input`);
  const rowsMiddle = (i: number) =>
    names.has(`layers.${i}.middle`) ? rowsAt(`layers.${i}.middle`) : rowsBefore(i);

  const embedded = (g: RowGradient): SourceValues[] => {
    const rows = rowsAt("embeddings");
    const table = params.positions?.weight;
    const embedding: PartSource = { name: "embedding", kind: "embedding" };
    if (!table) return [valuesOf(embedding, g, rows)];
    const [, n, C] = rows.shape as [number, number, number];
    const places = reshape(cast(slice(table, 0, first, first + n), rows.dtype), [1, n, C]);
    return [
      valuesOf(embedding, g, sub(rows, places)),
      valuesOf({ name: "position", kind: "position" }, g, places),
    ];
  };

  const before = (i: number, g: RowGradient): SourceValues[] => {
    const sources = i === 0 ? embedded(g) : after(i - 1, g);
    if (!(config.altUp ?? config.bytePatches)) return sources;
    const source: PartSource = { name: `layers.${i}.streams`, kind: "residual", layer: i };
    return [...sources, remainder(source, g, rowsBefore(i), sources)];
  };

  const hasAttention = (i: number) => names.has(`layers.${i}.attentionOutput`);

  /** From between attention and the feed-forward layer. */
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

  /** From after a layer. */
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

  /** From after attention or the feed-forward layer, through its norms where `placement` has them. */
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
      const whole = sub(rows(), mul(output(), -residualScale));
      const left = beforeNorm(own, whole, g);
      return [...below(left), ...added(scaled(left, residualScale)), ...shiftOf(own, `${at}Norm`, layer, g)];
    }
    const ofOutput = scaled(g, residualScale);
    if (placement === "normed") {
      const left = beforeNorm(own, rows(), g);
      return [...below(left), ...shiftOf(own, `${at}Norm`, layer, g), ...added(ofOutput)];
    }
    const norm = placement === "after" ? own : placement === "both" ? out : undefined;
    if (!norm) return [...below(g), ...added(ofOutput)];
    const name = placement === "after" ? `${at}Norm` : `${at}OutNorm`;
    return [
      ...below(g),
      ...added(beforeNorm(norm, output(), ofOutput)),
      ...shiftOf(norm, name, layer, ofOutput),
    ];
  };

  const feedForward = (i: number, g: RowGradient): SourceValues[] => {
    const name = `layers.${i}.feedForward`;
    passed.set(name, g);
    return [valuesOf({ name, kind: "feedForward", layer: i }, g, rowsAt(`${name}Output`))];
  };

  /** The output of attention: a source for each head, the bias of the output map, and a mixer beside it. */
  const attention = (i: number, g: RowGradient): SourceValues[] => {
    const at = `layers.${i}`;
    passed.set(`${at}.heads`, g);
    const made = layerAttention(config, i);
    const kind: PartKind = made ? "attention" : "mixer";
    const value = () => rowsAt(`${at}.attentionOutput`);
    if (!made || ablated?.attention.has(i))
      return [valuesOf({ name: `${at}.${kind}`, kind, layer: i }, g, value())];
    const own = params.layers[i]!.attention;
    const heads = headsBehindGate(made, own, rowsAt(`${at}.attention.heads`), () =>
      rowsAt(`${at}.attentionInput`),
    );
    const [, H, n, D] = heads.shape as [number, number, number, number];
    const ofHeads = reshape(timesMap(g.vector, own.output.weight), [1, H, D, 1]);
    const products = mul(matmul(heads, ofHeads), reshape(g.factors, [1, 1, n, 1])).data; // [1, H, n, 1]
    const sources = Array.from({ length: H }, (_, head): SourceValues => {
      const source: PartSource = { name: `${at}.heads.${head}`, kind: "head", layer: i, head };
      return { source, values: Array.from(products.subarray(head * n, (head + 1) * n), Number) };
    });
    const { bias } = own.output;
    if (bias) sources.push(valuesOf({ name: `${at}.attention.bias`, kind: "bias", layer: i }, g, bias));
    if (!("mixer" in own)) return sources;
    return [...sources, remainder({ name: `${at}.mixer`, kind: "mixer", layer: i }, g, value(), sources)];
  };

  const attentionInput = (i: number, g: RowGradient): SourceValues[] => {
    if (placement === "post" || placement === "after") return before(i, g);
    const own = params.layers[i]!.attentionNorm;
    const left = beforeNorm(own, rowsBefore(i), g);
    return [...before(i, left), ...shiftOf(own, `layers.${i}.attentionNorm`, i, g)];
  };

  return {
    attentionInput,
    feedForwardInput(i, g) {
      if (placement === "parallelShared") return attentionInput(i, g);
      const below = isParallel ? before : middle;
      if (placement === "post" || placement === "after") return below(i, g);
      const own = params.layers[i]!.feedForwardNorm;
      const left = beforeNorm(own, isParallel ? rowsBefore(i) : rowsMiddle(i), g);
      return [...below(i, left), ...shiftOf(own, `layers.${i}.feedForwardNorm`, i, g)];
    },
    output: (kind, layer) => passed.get(`layers.${layer}.${kind === "head" ? "heads" : kind}`)!,
  };
}

/** A vector `[1, out]` times a map `[out, in]`, the gradient before it. The map may be of 16 bits. */
export function timesMap(vector: Tensor, weight: Tensor): Tensor {
  return matmul(vector, weight.dtype === vector.dtype ? weight : cast(weight, vector.dtype));
}

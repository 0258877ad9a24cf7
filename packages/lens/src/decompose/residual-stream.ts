import type { AttentionLayer, AttentionParams, LatentLayer } from "@qkv/attention";
import {
  add,
  broadcastTo,
  linear,
  mul,
  reshape,
  slice,
  sub,
  take,
  tensor,
  zerosLike,
  type Tensor,
} from "@qkv/tensor";
import { layerAttention, type DecoderLayerParams } from "@qkv/transformer";
import { headContributions } from "@qkv/transformer/inspection";
import type { AblatedModel } from "../patching/ablated-model.js";
import { partsAfterNorm } from "./norm-parts.js";
import type { PartKind, ResidualPart } from "./residual-part.js";

/** Ends of the names of the tensors that `residualStream` reads. */
export const residualNames = [
  "embeddings",
  "input",
  "attentionInput",
  "heads",
  "attentionOutput",
  "middle",
  "feedForwardOutput",
  "output",
  "finalInput",
] as const;

/** Ends of the names of the tensors that it also reads to split heads by key. */
export const keyNames = ["weights", "value"] as const;

/** Rows of the stream at one point of the model, `[B, n, C]`, and their parts. */
export type StreamPoint = { readonly rows: Tensor; readonly parts: readonly ResidualPart[] };

export type StreamOptions = {
  /** Tensors of a run by full name, traced with {@link residualNames}. */
  readonly tensors: Readonly<Record<string, Tensor>>;
  /** Positions whose rows are split. Undefined: all. */
  readonly positions: readonly number[] | undefined;
  /** `all`: tensors have a row for each token. `positions`: only for `positions`, except `value`. Default `all`. */
  readonly traced?: "all" | "positions";
  /** True: a part for each head. False: one part for the attention of a layer. */
  readonly heads: boolean;
  /** True: a part for each key of a head; needs {@link keyNames} too. Default false. */
  readonly keys?: boolean;
};

/** Parts of the residual stream at the points of a decoder: the input of each layer, and the input of the final norm. */
export type ResidualStream = {
  /** Parts of the input of a layer, from 0. */
  before(layer: number): StreamPoint;
  /** Parts of the input of a layer's attention, after its norm. */
  attentionInput(layer: number): StreamPoint;
  /** Parts of the input of a layer's feed-forward layer, after its norm. */
  feedForwardInput(layer: number): readonly ResidualPart[];
  /** Parts of the input of the final norm. */
  final(): StreamPoint;
};

/**
 * The residual stream of a traced run as a sum of parts: embeddings, and the output of each head, feed-forward layer and bias.
 * Norms keep their scales of the run. AltUp's streams, per-layer embeddings and LAuReL each add one part of kind
 * `residual`.
 */
export function residualStream(model: AblatedModel, options: StreamOptions): ResidualStream {
  const { config, params } = model;
  const { tensors, positions, traced = "all", heads, keys = false } = options;
  const index =
    positions && tensor([...positions], { dtype: "int32", device: params.embedding.weight.device });
  /** Rows of a traced tensor at `positions`. */
  const rowsAt = (name: string, axis = 1): Tensor => {
    const x = tensors[name]!;
    return index && traced === "all" ? take(x, axis, index) : x;
  };
  const points: StreamPoint[] = [];
  const middles: StreamPoint[] = [];

  const embeddingPoint = (): StreamPoint => {
    const rows = rowsAt("embeddings");
    const table = params.positions?.weight;
    if (!table) return { rows, parts: [{ name: "embedding", kind: "embedding", value: rows }] };
    const positionIndex =
      index ?? tensor([...Array(rows.shape[1]!).keys()], { dtype: "int32", device: rows.device });
    const position = add(zerosLike(rows), take(table, 0, positionIndex));
    return {
      rows,
      parts: [
        { name: "embedding", kind: "embedding", value: sub(rows, position) },
        { name: "position", kind: "position", value: position },
      ],
    };
  };

  /** Parts, and one more for the rows minus their sum: for models that add tensors that are not traced. */
  const withRemainder = (
    rows: Tensor,
    parts: readonly ResidualPart[],
    name: string,
    layer?: number,
  ): ResidualPart[] => [
    ...parts,
    { name, kind: "residual", ...(layer !== undefined && { layer }), value: sub(rows, sumParts(parts)) },
  ];
  /** True if the input of a layer differs from the output of the layer before. */
  const changesBetweenLayers = Boolean(config.altUp ?? config.bytePatches);

  const pointBefore = (i: number): StreamPoint => {
    const cachedPoint = points[i];
    if (cachedPoint) return cachedPoint;
    const before = i === 0 ? embeddingPoint() : pointAfter(i - 1);
    const rows = i < config.numLayers ? rowsAt(`layers.${i}.input`) : rowsAt("finalInput");
    const last = i === config.numLayers;
    const changed = last ? config.altUp !== undefined : changesBetweenLayers;
    const name = last ? "streams" : `layers.${i}.streams`;
    const parts = changed ? withRemainder(rows, before.parts, name, last ? undefined : i) : before.parts;
    return (points[i] = { rows, parts });
  };

  const scaled = (parts: readonly ResidualPart[], factor: number): readonly ResidualPart[] =>
    factor === 1 ? parts : parts.map((part) => ({ ...part, value: mul(part.value, factor) }));

  /** True if the feed-forward layer and attention read the same input. */
  const isParallel = config.placement === "parallel" || config.placement === "parallelShared";
  const tracedAttentionParts = (i: number) =>
    tensors[`layers.${i}.attentionOutput`] ? attentionParts(i, params.layers[i]!) : undefined;

  /** The point between attention and the feed-forward layer. */
  const pointMiddle = (i: number): StreamPoint => {
    const cachedPoint = middles[i];
    if (cachedPoint) return cachedPoint;
    const layer = params.layers[i]!;
    const at = `layers.${i}`;
    const before = pointBefore(i);
    const attention = tracedAttentionParts(i);
    if (!attention) return before;
    const { attentionNorm, attentionOutNorm } = layer;
    const { parts } = afterSublayer(before, attention, attentionNorm, attentionOutNorm, `${at}.attention`, i);
    const rows = tensors[`${at}.middle`] ? rowsAt(`${at}.middle`) : before.rows;
    if (config.laurelRank === undefined) return (middles[i] = { rows, parts });
    return (middles[i] = {
      rows,
      parts: withRemainder(rows, scaled(parts, Math.SQRT1_2), `${at}.laurel`, i),
    });
  };

  /** The point after a layer. */
  const pointAfter = (i: number): StreamPoint => {
    const layer = params.layers[i]!;
    const { residualScale = 1 } = config;
    const feedForward = feedForwardParts(i);
    if (isParallel) {
      const added = scaled([...(tracedAttentionParts(i) ?? []), ...(feedForward ?? [])], residualScale);
      return layerOutput(i, layer, [...pointBefore(i).parts, ...added]);
    }
    const middle = pointMiddle(i);
    if (!feedForward) return layerOutput(i, layer, middle.parts);
    const { feedForwardNorm, feedForwardOutNorm } = layer;
    const at = `layers.${i}.feedForward`;
    return layerOutput(
      i,
      layer,
      afterSublayer(middle, feedForward, feedForwardNorm, feedForwardOutNorm, at, i).parts,
    );
  };

  /** The output of a feed-forward layer as one part. Undefined: the layer has none. */
  const feedForwardParts = (i: number): readonly ResidualPart[] | undefined => {
    const name = `layers.${i}.feedForward`;
    if (!tensors[`${name}Output`]) return undefined;
    return [{ name, kind: "feedForward", layer: i, value: rowsAt(`${name}Output`) }];
  };

  /** The point after attention or the feed-forward layer, with the norms of the model's `placement`. */
  const afterSublayer = (
    { rows, parts }: StreamPoint,
    added: readonly ResidualPart[],
    sublayerNorm: DecoderLayerParams["attentionNorm"],
    out: DecoderLayerParams["attentionOutNorm"],
    at: string,
    layer: number,
  ): StreamPoint => {
    const { placement = "pre", residualScale = 1 } = config;
    const shift = { name: `${at}Norm.bias`, layer };
    const outShift = { name: `${at}OutNorm.bias`, layer };
    const sublayerOutput = () => sumParts(added);
    const pointWith = (parts: readonly ResidualPart[]): StreamPoint => ({ rows, parts });
    if (placement === "post") {
      const allParts = [...parts, ...scaled(added, residualScale)];
      return pointWith(partsAfterNorm(config, sublayerNorm, sumParts(allParts), allParts, shift));
    }
    if (placement === "after") {
      return pointWith([
        ...parts,
        ...scaled(partsAfterNorm(config, sublayerNorm, sublayerOutput(), added, shift), residualScale),
      ]);
    }
    if (placement === "normed") {
      return pointWith([
        ...partsAfterNorm(config, sublayerNorm, rows, parts, shift),
        ...scaled(added, residualScale),
      ]);
    }
    const normalized =
      placement === "both" && out ? partsAfterNorm(config, out, sublayerOutput(), added, outShift) : added;
    return pointWith([...parts, ...scaled(normalized, residualScale)]);
  };

  /** The output of a layer, with the layer's learned scale, and the rows that AltUp or per-layer embeddings add. */
  const layerOutput = (i: number, layer: DecoderLayerParams, parts: readonly ResidualPart[]): StreamPoint => {
    const rows = rowsAt(`layers.${i}.output`);
    const scaledBy = (part: ResidualPart) => ({ ...part, value: mul(part.value, layer.scale!) });
    const normalized = config.layerScale ? parts.map(scaledBy) : parts;
    if (!config.altUp && !config.perLayerEmbedding) return { rows, parts: normalized };
    const name = config.altUp ? "streams" : "perLayerEmbedding";
    return { rows, parts: withRemainder(rows, normalized, `layers.${i}.output.${name}`, i) };
  };

  /** Parts of the output of attention: each head, the bias of the output projection, and a parallel mixer. */
  const attentionParts = (i: number, layer: DecoderLayerParams): readonly ResidualPart[] => {
    const at = `layers.${i}`;
    const value = rowsAt(`${at}.attentionOutput`);
    const attentionLayer = layerAttention(config, i);
    const kind: PartKind = attentionLayer ? "attention" : "mixer";
    if (!attentionLayer || !heads || model.ablated?.attention.has(i))
      return [{ name: `${at}.${kind}`, kind, layer: i, value }];
    // The norm after differential attention is not linear in the values.
    const byKey = keys && !(attentionLayer.config as AttentionLayer["config"]).differential;
    const headParts = (written: Tensor, key?: number): ResidualPart[] => {
      const byHead = headContributions(written, layer.attention.output); // [B, H, n, C]
      return Array.from({ length: byHead.shape[1]! }, (_, head) => ({
        name: `${at}.heads.${head}${key === undefined ? "" : `.keys.${key}`}`,
        kind: "head",
        layer: i,
        head,
        ...(key !== undefined && { key }),
        value: headRows(byHead, head),
      }));
    };
    const applyGate = (x: Tensor) =>
      gatedHeads(attentionLayer, layer.attention, x, () => rowsAt(`${at}.attentionInput`));
    const headOutputs = rowsAt(`${at}.attention.heads`, 2);
    const parts = byKey
      ? headsByKey(rowsAt(`${at}.attention.weights`, 2), tensors[`${at}.attention.value`]!)
          .flatMap((x, key) => headParts(applyGate(x), key))
          .sort((a, b) => a.head! - b.head!)
      : headParts(applyGate(headOutputs));
    const { bias } = layer.attention.output;
    if (bias) {
      parts.push({
        name: `${at}.attention.bias`,
        kind: "bias",
        layer: i,
        value: add(zerosLike(value), bias),
      });
    }
    if (!("mixer" in layer.attention)) return parts;
    const mixerOutput = sub(value, sumParts(parts));
    return [...parts, { name: `${at}.mixer`, kind: "mixer", layer: i, value: mixerOutput }];
  };

  return {
    before: pointBefore,
    attentionInput(i) {
      const { placement = "pre" } = config;
      const { rows, parts } = pointBefore(i);
      if (placement === "post" || placement === "after") return { rows, parts };
      const shift = { name: `layers.${i}.attentionNorm.bias`, layer: i };
      const attentionNorm = params.layers[i]!.attentionNorm;
      return {
        rows: rowsAt(`layers.${i}.attentionInput`),
        parts: partsAfterNorm(config, attentionNorm, rows, parts, shift),
      };
    },
    feedForwardInput(i) {
      const { placement = "pre" } = config;
      if (placement === "parallelShared") return this.attentionInput(i).parts;
      const { rows, parts } = isParallel ? pointBefore(i) : pointMiddle(i);
      if (placement === "post" || placement === "after") return parts;
      const shift = { name: `layers.${i}.feedForwardNorm.bias`, layer: i };
      return partsAfterNorm(config, params.layers[i]!.feedForwardNorm, rows, parts, shift);
    },
    final: () => pointBefore(config.numLayers),
  };
}

/** Outputs of heads `[B, H, n, D]` as the output projection reads them: subtracted in differential attention, and gated. */
export function gatedHeads(
  layer: AttentionLayer | LatentLayer,
  params: AttentionParams,
  heads: Tensor,
  input: () => Tensor,
): Tensor {
  const { differential, gate } = layer.config as AttentionLayer["config"];
  const subtracted = differential ? differential.subtract(params.differential, heads) : heads;
  return gate ? gate.apply(subtracted, linear(input(), params.gate!.weight, params.gate!.bias)) : subtracted;
}

/** Outputs of heads by key, `[B, H, n, D]` for each of S keys: the weight of the key times its value. */
function headsByKey(weights: Tensor, value: Tensor): Tensor[] {
  const [B, H, , S] = weights.shape as [number, number, number, number];
  const [, Hkv, , D] = value.shape as [number, number, number, number];
  const shared = broadcastTo(reshape(value, [B, Hkv, 1, S, D]), [B, Hkv, H / Hkv, S, D]);
  const values = reshape(shared, [B, H, S, D]);
  return Array.from({ length: S }, (_, key) =>
    mul(slice(weights, 3, key, key + 1), slice(values, 2, key, key + 1)),
  );
}

/** Rows `[B, n, C]` of one head of `[B, H, n, C]`. */
function headRows(byHead: Tensor, head: number): Tensor {
  const [B, , n, C] = byHead.shape as [number, number, number, number];
  return reshape(slice(byHead, 1, head, head + 1), [B, n, C]);
}

/** The sum of parts, `[B, n, C]`. */
export function sumParts(parts: readonly { readonly value: Tensor }[]): Tensor {
  return parts.map(({ value }) => value).reduce((a, b) => add(a, b));
}

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
import { throughNorm } from "./norm-parts.js";
import type { PartKind, ResidualPart } from "./residual-part.js";

/** Names of the tensors that the parts of a residual stream are made of. */
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

/** Names of the tensors that heads are split by their keys with. */
export const keyNames = ["weights", "value"] as const;

/** The rows of a stream whose parts are followed, and the parts at a point of it. */
export type StreamPoint = { readonly rows: Tensor; readonly parts: readonly ResidualPart[] };

export type StreamOptions = {
  /** Tensors of a run by full name, traced with {@link residualNames}. */
  readonly tensors: Readonly<Record<string, Tensor>>;
  /** Positions whose rows are followed. Default: all. */
  readonly positions: readonly number[] | undefined;
  /** Rows of the tensors: all of the text, or those at `positions` alone, except of `value`. Default `all`. */
  readonly traced?: "all" | "positions";
  /** True: attention of a layer is a part for each head. False: one part. */
  readonly heads: boolean;
  /** True: a head is a part for each of its keys. It takes {@link keyNames} too. Default false. */
  readonly keys?: boolean;
};

/** Parts of the residual stream at the points of a decoder: the input of each layer, and the input of the final norm. */
export type ResidualStream = {
  /** Parts of the input of a layer, from 0. */
  before(layer: number): StreamPoint;
  /** Parts of the rows that attention of a layer reads, after its norm. */
  attentionInput(layer: number): StreamPoint;
  /** Parts of the rows that the feed-forward layer of a layer reads, after its norm. */
  feedForwardInput(layer: number): readonly ResidualPart[];
  /** Parts of the rows that the final norm reads. */
  final(): StreamPoint;
};

/**
 * The residual stream of a traced run as a sum of parts: embeddings, and the output of each head, feed-forward layer and bias.
 * Norms on the way keep the scales of the run. AltUp's streams, per-layer embeddings and LAuReL each add one part of kind
 * `residual`.
 */
export function residualStream(model: AblatedModel, options: StreamOptions): ResidualStream {
  const { config, params } = model;
  const { tensors, positions, traced = "all", heads, keys = false } = options;
  const index =
    positions && tensor([...positions], { dtype: "int32", device: params.embedding.weight.device });
  /** Rows of a traced tensor at the positions that are followed. */
  const rowsAt = (name: string, axis = 1): Tensor => {
    const x = tensors[name]!;
    return index && traced === "all" ? take(x, axis, index) : x;
  };
  const points: StreamPoint[] = [];
  const middles: StreamPoint[] = [];

  const embedded = (): StreamPoint => {
    const rows = rowsAt("embeddings");
    const table = params.positions?.weight;
    if (!table) return { rows, parts: [{ name: "embedding", kind: "embedding", value: rows }] };
    const places =
      index ?? tensor([...Array(rows.shape[1]!).keys()], { dtype: "int32", device: rows.device });
    const position = add(zerosLike(rows), take(table, 0, places));
    return {
      rows,
      parts: [
        { name: "embedding", kind: "embedding", value: sub(rows, position) },
        { name: "position", kind: "position", value: position },
      ],
    };
  };

  /** Parts, and the difference of the rows and their sum as one more: for configurations that add tensors without a part. */
  const withRemainder = (
    rows: Tensor,
    parts: readonly ResidualPart[],
    name: string,
    layer?: number,
  ): ResidualPart[] => [
    ...parts,
    { name, kind: "residual", ...(layer !== undefined && { layer }), value: sub(rows, sumOfParts(parts)) },
  ];
  /** True if the input of a layer is not the output of the layer before. */
  const changesBetweenLayers = Boolean(config.altUp ?? config.bytePatches);

  const pointBefore = (i: number): StreamPoint => {
    const known = points[i];
    if (known) return known;
    const before = i === 0 ? embedded() : pointAfter(i - 1);
    const rows = i < config.numLayers ? rowsAt(`layers.${i}.input`) : rowsAt("finalInput");
    const last = i === config.numLayers;
    const changed = last ? config.altUp !== undefined : changesBetweenLayers;
    const name = last ? "streams" : `layers.${i}.streams`;
    const parts = changed ? withRemainder(rows, before.parts, name, last ? undefined : i) : before.parts;
    return (points[i] = { rows, parts });
  };

  const scaled = (parts: readonly ResidualPart[], factor: number): readonly ResidualPart[] =>
    factor === 1 ? parts : parts.map((part) => ({ ...part, value: mul(part.value, factor) }));

  /** The feed-forward layer and attention read the same point. */
  const isParallel = config.placement === "parallel" || config.placement === "parallelShared";
  const attentionOf = (i: number) =>
    tensors[`layers.${i}.attentionOutput`] ? attentionParts(i, params.layers[i]!) : undefined;

  /** The point between attention and the feed-forward layer. */
  const pointMiddle = (i: number): StreamPoint => {
    const known = middles[i];
    if (known) return known;
    const layer = params.layers[i]!;
    const at = `layers.${i}`;
    const before = pointBefore(i);
    const attention = attentionOf(i);
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
      const added = scaled([...(attentionOf(i) ?? []), ...(feedForward ?? [])], residualScale);
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

  /** The output of a feed-forward layer: one part. */
  const feedForwardParts = (i: number): readonly ResidualPart[] | undefined => {
    const name = `layers.${i}.feedForward`;
    if (!tensors[`${name}Output`]) return undefined;
    return [{ name, kind: "feedForward", layer: i, value: rowsAt(`${name}Output`) }];
  };

  /** The point after attention or the feed-forward layer, with its norms where `placement` has them. */
  const afterSublayer = (
    { rows, parts }: StreamPoint,
    added: readonly ResidualPart[],
    own: DecoderLayerParams["attentionNorm"],
    out: DecoderLayerParams["attentionOutNorm"],
    at: string,
    layer: number,
  ): StreamPoint => {
    const { placement = "pre", residualScale = 1 } = config;
    const shift = { name: `${at}Norm.bias`, layer };
    const outShift = { name: `${at}OutNorm.bias`, layer };
    const whole = () => sumOfParts(added);
    const of = (parts: readonly ResidualPart[]): StreamPoint => ({ rows, parts });
    if (placement === "post") {
      const all = [...parts, ...scaled(added, residualScale)];
      return of(throughNorm(config, own, sumOfParts(all), all, shift));
    }
    if (placement === "after") {
      return of([...parts, ...scaled(throughNorm(config, own, whole(), added, shift), residualScale)]);
    }
    if (placement === "normed") {
      return of([...throughNorm(config, own, rows, parts, shift), ...scaled(added, residualScale)]);
    }
    const left = placement === "both" && out ? throughNorm(config, out, whole(), added, outShift) : added;
    return of([...parts, ...scaled(left, residualScale)]);
  };

  /** The output of a layer, with its own factor, and the rows that AltUp or per-layer embeddings add. */
  const layerOutput = (i: number, layer: DecoderLayerParams, parts: readonly ResidualPart[]): StreamPoint => {
    const rows = rowsAt(`layers.${i}.output`);
    const scaledBy = (part: ResidualPart) => ({ ...part, value: mul(part.value, layer.scale!) });
    const left = config.layerScale ? parts.map(scaledBy) : parts;
    if (!config.altUp && !config.perLayerEmbedding) return { rows, parts: left };
    const name = config.altUp ? "streams" : "perLayerEmbedding";
    return { rows, parts: withRemainder(rows, left, `layers.${i}.output.${name}`, i) };
  };

  /** Parts of the output of attention: a part for each head, the bias of the output map, and a mixer beside it. */
  const attentionParts = (i: number, layer: DecoderLayerParams): readonly ResidualPart[] => {
    const at = `layers.${i}`;
    const value = rowsAt(`${at}.attentionOutput`);
    const made = layerAttention(config, i);
    const kind: PartKind = made ? "attention" : "mixer";
    if (!made || !heads || model.ablated?.attention.has(i))
      return [{ name: `${at}.${kind}`, kind, layer: i, value }];
    // The norm after a difference of heads is not linear in their values.
    const byKey = keys && !(made.config as AttentionLayer["config"]).differential;
    const partsOf = (written: Tensor, key?: number): ResidualPart[] => {
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
    const gated = (x: Tensor) =>
      headsBehindGate(made, layer.attention, x, () => rowsAt(`${at}.attentionInput`));
    const own = rowsAt(`${at}.attention.heads`, 2);
    const parts = byKey
      ? headsByKey(rowsAt(`${at}.attention.weights`, 2), tensors[`${at}.attention.value`]!)
          .flatMap((x, key) => partsOf(gated(x), key))
          .sort((a, b) => a.head! - b.head!)
      : partsOf(gated(own));
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
    const mixed = sub(value, sumOfParts(parts));
    return [...parts, { name: `${at}.mixer`, kind: "mixer", layer: i, value: mixed }];
  };

  return {
    before: pointBefore,
    attentionInput(i) {
      const { placement = "pre" } = config;
      const { rows, parts } = pointBefore(i);
      if (placement === "post" || placement === "after") return { rows, parts };
      const shift = { name: `layers.${i}.attentionNorm.bias`, layer: i };
      const own = params.layers[i]!.attentionNorm;
      return {
        rows: rowsAt(`layers.${i}.attentionInput`),
        parts: throughNorm(config, own, rows, parts, shift),
      };
    },
    feedForwardInput(i) {
      const { placement = "pre" } = config;
      if (placement === "parallelShared") return this.attentionInput(i).parts;
      const { rows, parts } = isParallel ? pointBefore(i) : pointMiddle(i);
      if (placement === "post" || placement === "after") return parts;
      const shift = { name: `layers.${i}.feedForwardNorm.bias`, layer: i };
      return throughNorm(config, params.layers[i]!.feedForwardNorm, rows, parts, shift);
    },
    final: () => pointBefore(config.numLayers),
  };
}

/** Outputs of heads `[B, H, n, D]` as the output map reads them: subtracted in pairs, and gated. */
export function headsBehindGate(
  layer: AttentionLayer | LatentLayer,
  params: AttentionParams,
  heads: Tensor,
  input: () => Tensor,
): Tensor {
  const { differential, gate } = layer.config as AttentionLayer["config"];
  const subtracted = differential ? differential.subtract(params.differential, heads) : heads;
  return gate ? gate.apply(subtracted, linear(input(), params.gate!.weight, params.gate!.bias)) : subtracted;
}

/** Outputs of heads as a sum over keys, `[B, H, n, D]` each: the weight of a key times its value. */
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
export function sumOfParts(parts: readonly { readonly value: Tensor }[]): Tensor {
  return parts.map(({ value }) => value).reduce((a, b) => add(a, b));
}

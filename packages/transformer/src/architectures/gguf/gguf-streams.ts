import { clamp, slice, zeros, type Tensor } from "@qkv/tensor";
import { stacked } from "../../conversions/row-map.js";
import { asFloats } from "../../conversions/as-floats.js";
import type { DecoderConfig } from "../../models/decoder-config.js";
import { headDim, type ConfigEntry } from "../config-entry.js";
import { withOverrides } from "../layer-overrides.js";
import { refuseLayerList } from "../layer-lists.js";
import { hasOwnKeyValues } from "../shared-layers.js";
import { linear, norm, paramAt, perExpert, stored, type StoredTensor } from "../stored-tensor.js";
import type { GgufRefusal } from "./gguf-architecture.js";

/** Gemma 3n: number of layers with sparse gates, their share of zeros, and the standard score of that quantile. */
const sparse = { layers: 10, share: 0.95, deviations: 1.6448533535003662 };

/** Number of layers that compute keys and values, for any number of layers. */
const keyValueLayers = 20;

/** Sizes that llama.cpp does not read from metadata: streams, ranks and widths. */
const fixed = { streams: 4, laurelRank: 64, perLayerDim: 256 };

/** Four sliding-window layers, then a full one. llama.cpp ignores the list in a file, so other lists are refused. */
export const everyFifthFull: ConfigEntry = {
  read(fields, { numLayers = 0 }) {
    const name = "attention.sliding_window_pattern";
    const layerTypes = fifths(numLayers);
    const isSliding = fields.list(name);
    const isSupported = (list: readonly unknown[]) =>
      list.length === numLayers && layerTypes.every((type, i) => list[i] === (type === "sliding"));
    const expected = `a list of ${numLayers}: four layers that slide, then one that does not`;
    if (isSliding && !isSupported(isSliding))
      return refuseLayerList(fields, name, { numLayers, type: "boolean", expected });
    return { window: fields.count("attention.sliding_window"), layerTypes };
  },
  write: ({ window, numLayers, contextLength }) => ({
    "attention.sliding_window": window ?? contextLength,
    "attention.sliding_window_pattern": fifths(numLayers).map((type) => type === "sliding"),
  }),
};

const fifths = (numLayers: number): ("full" | "sliding")[] =>
  Array.from({ length: numLayers }, (_, i) => (i % 5 === 4 ? "full" : "sliding"));

/** The first layers have sparse gates. llama.cpp ignores the list in a file, so other lists are refused. */
export const sparseGates: ConfigEntry = {
  read(fields, config) {
    const name = "activation_sparsity_scale";
    const { numLayers = 0 } = config;
    const isSparse = (i: number) => i < sparse.layers;
    const scales = fields.list(name);
    const isSupported = (scale: unknown, i: number) =>
      isSparse(i) ? Math.abs((scale as number) - sparse.deviations) < 1e-4 : scale === -Infinity;
    const expected = `${sparse.deviations} in the first ${sparse.layers} layers, -Infinity after`;
    if (scales && !(scales.length === numLayers && scales.every(isSupported)))
      return refuseLayerList(fields, name, { numLayers, type: "number", expected });
    return withOverrides(config, (i) => (isSparse(i) ? { activationSparsity: sparse.share } : {}));
  },
  write: ({ numLayers }) => ({
    activation_sparsity_scale: Array.from({ length: numLayers }, (_, i) =>
      i < sparse.layers ? sparse.deviations : -Infinity,
    ),
  }),
};

/** AltUp with the first stream active, and LAuReL. */
export const ggufStreams: ConfigEntry = {
  read(fields) {
    fields.mustBe("altup.num_inputs", fixed.streams);
    fields.mustBe("altup.active_idx", 0);
    return { altUp: { streams: fixed.streams, outputScale: true }, laurelRank: fixed.laurelRank };
  },
  write: () => ({ "altup.num_inputs": fixed.streams, "altup.active_idx": 0 }),
};

/** Refuses sizes that differ from the constants in llama.cpp's code. */
export function refuseOtherSizes(config: DecoderConfig): GgufRefusal | undefined {
  const { perLayerEmbedding, sharedKeyValues = [], numLayers, layerOverrides = [] } = config;
  const numShared = sharedKeyValues.filter((from, i) => from !== i).length;
  const expectedShared = Math.max(0, numLayers - keyValueLayers);
  if (perLayerEmbedding?.dim !== fixed.perLayerDim)
    return {
      argument: "config.perLayerEmbedding",
      received: perLayerEmbedding,
      expected: `per-layer embeddings of dimension ${fixed.perLayerDim}`,
    };
  if (numShared !== expectedShared)
    return {
      argument: "config.sharedKeyValues",
      received: sharedKeyValues,
      expected: `${expectedShared} layers that read the keys and values of others: those after the first ${keyValueLayers}`,
    };
  const override = layerOverrides.find((overrides) => overrides?.hiddenDim !== undefined);
  return (
    override && {
      argument: "config.layerOverrides",
      received: override,
      expected: "one hiddenDim in all layers",
    }
  );
}

/** Projections between embeddings and streams: one tensor for all streams in each direction. */
export function ggufStreamProjections({ altUp, embedDim: C }: DecoderConfig): StoredTensor[] {
  const inactiveStreams = (altUp?.streams ?? 1) - 1;
  const maps = (param: string, name: string) =>
    perExpert(inactiveStreams, (i) => [`${param}.${i}`], `${name}.weight`, stacked([C]), C);
  return [maps("altUp.expand", "altup_proj"), maps("altUp.merge", "altup_unembd_proj")];
}

/** AltUp's coefficient matrices and LAuReL's projections of one layer. */
export function ggufStreamLayer({ altUp, laurelRank: R = 1, embedDim: C }: DecoderConfig): StoredTensor[] {
  const N = altUp?.streams ?? 1;
  return [
    norm("altUp.routerNorm", "altup_router_norm", C),
    stored("altUp.router", "altup_router.weight", [N, C]),
    stored("altUp.prediction", "altup_predict_coef.weight", [N * N, N]),
    withinLimit("altUp.correction", "altup_correct_coef.weight", [N, N], altUp?.coefficientLimit),
    stored("altUp.outputScale", "altup_correct_scale.weight", [C]),
    linear("laurel.left", "laurel_l", [R, C]),
    linear("laurel.right", "laurel_r", [C, R]),
    norm("laurel.norm", "laurel_post_norm", C),
  ];
}

/** A tensor that is clamped on export, because llama.cpp does not clamp it at run time as the model does. */
const withinLimit =
  (param: string, name: string, shape: readonly number[], limit: number | undefined): StoredTensor =>
  (at) => {
    const plain = stored(param, name, shape)(at);
    if (limit === undefined) return plain;
    const write = (params: object) => {
      const x = paramAt(params, at.param + param) as Tensor;
      const rows = (first: number, end: number) =>
        clamp(asFloats(slice(x, 0, first, end)), { min: -limit, max: limit });
      return [{ name: at.name + name, shape, rows }];
    };
    return { read: plain.read, write };
  };

/** Key and value projections of a layer that reuses those of another. llama.cpp requires but does not use them; they are zeros. */
export function unusedKeyValues(config: DecoderConfig, layer: number): StoredTensor[] {
  if (hasOwnKeyValues(config, layer)) return [];
  const { embedDim: C, numKvHeads } = config;
  const D = headDim(config);
  const empty =
    (name: string, shape: readonly [number, ...number[]]): StoredTensor =>
    (at) => ({
      read: () => Promise.resolve([]),
      write: () => [
        { name: at.name + name, shape, rows: (first, end) => zeros([end - first, ...shape.slice(1)]) },
      ],
    });
  return [
    empty("attn_k.weight", [numKvHeads * D, C]),
    empty("attn_v.weight", [numKvHeads * D, C]),
    empty("attn_k_norm.weight", [D]),
  ];
}

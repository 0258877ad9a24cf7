import type { RotaryLayout } from "@qkv/attention";
import { stacked, type RowMap } from "../../conversions/row-map.js";
import { halfFromInterleaved, interleavedFromHalf } from "../../conversions/rotary-layout.js";
import type { DecoderConfig } from "../../models/decoder-config.js";
import { layerConfig } from "../../models/layer-config.js";
import { headDim } from "../config-entry.js";
import { hasExperts } from "../expert-parts.js";
import { scaled } from "./scaled.js";
import { hasOwnKeyValues } from "../shared-layers.js";
import { each, fused, linear, norm, reshaped, stored, under, type StoredTensor } from "../stored-tensor.js";

/** Names and layouts of tensors that differ from the defaults of llama.cpp. */
export type GgufTensorNames = {
  /** Names of a layer's norms, by their params. Default: determined by the norm placement. */
  norms?: Readonly<Record<string, string>>;
  /** The final norm. Default `output_norm`. */
  lastNorm?: string;
  /** True if queries, keys and values are one matrix. Default false. */
  fusedAttention?: boolean;
  /** True if gate and up projection are one matrix, with the name of the latter. Default false. */
  fusedGate?: boolean;
  /** True if the scales of embeddings and logits are folded into their matrices. Default: they are metadata, or 1. */
  scaledTables?: boolean;
  /** Entries for the attention of a layer. Default: its projections and norms. */
  attention?: (config: DecoderConfig, layer: number) => readonly StoredTensor[];
  /** Further entries outside the layers. */
  tables?: (config: DecoderConfig) => readonly StoredTensor[];
  /** Further entries of a layer. */
  more?: (config: DecoderConfig, layer: number) => readonly StoredTensor[];
};

type Options = GgufTensorNames & { tied: boolean; ropeLayout: RotaryLayout; separateOutput: boolean };

/** Tensors of a decoder under the usual names of llama.cpp. */
export function ggufTensors(config: DecoderConfig, options: Options): readonly StoredTensor[] {
  const { vocabSize: V, embedDim: C, numLayers, contextLength, positions, embeddingNorm } = config;
  const {
    tied,
    separateOutput,
    lastNorm = "output_norm",
    norms = normNames(config),
    attention,
    more,
  } = options;
  const { embeddingScale = 1, logitScale = 1 } = options.scaledTables ? config : {};
  return [
    scaled("embedding.weight", "token_embd.weight", [V, C], { kind: "table", factor: embeddingScale }),
    ...(positions === "learned"
      ? [stored("positions.weight", "position_embd.weight", [contextLength, C])]
      : []),
    ...(embeddingNorm ? [norm("embeddingNorm", "token_embd_norm", C)] : []),
    each(numLayers, "layers", "blk", (i) => [
      ...Object.entries(norms).map(([param, name]) => norm(param, name, C)),
      ...(attention?.(config, i) ??
        attentionTensors(layerConfig(config, i), options, hasOwnKeyValues(config, i))),
      ...((config.feedForwardLayers?.[i] ?? true) !== true
        ? [] // The architecture has entries for the layer in place of the feed-forward layer.
        : hasExperts(config, i)
          ? expertTensors(config)
          : feedForwardTensors(layerConfig(config, i), options)),
      ...(more?.(config, i) ?? []),
    ]),
    ...(options.tables?.(config) ?? []),
    norm("norm", lastNorm, C),
    ...(!tied
      ? [
          options.scaledTables
            ? scaled("output.weight", "output.weight", [V, C], { kind: "matrix", factor: logitScale })
            : outputProjection(config),
        ]
      : separateOutput || embeddingScale !== 1 || logitScale !== 1
        ? [scaled("embedding.weight", "output.weight", [V, C], { kind: "table", factor: logitScale })]
        : []),
  ];
}

/** The output projection, with its bias if it has one. */
const outputProjection = ({ vocabSize: V, embedDim: C }: DecoderConfig) => linear("output", "output", [V, C]);

/** Names of the norms of a layer, by norm placement. */
function normNames({ placement = "pre" }: DecoderConfig): Readonly<Record<string, string>> {
  const before = { attentionNorm: "attn_norm", feedForwardNorm: "ffn_norm" };
  switch (placement) {
    case "after":
      return { attentionNorm: "post_attention_norm", feedForwardNorm: "post_ffw_norm" };
    case "both":
      return { ...before, attentionOutNorm: "post_attention_norm", feedForwardOutNorm: "post_ffw_norm" };
    case "parallelShared":
      return { attentionNorm: "attn_norm" };
    default:
      return before;
  }
}

/** Row map of queries or keys to the rotary layout of the file. */
function rotatedRows(config: DecoderConfig, ropeLayout: RotaryLayout, rows: number): RowMap {
  const { positions = "rotary", ropeLayout: paramLayout = "half", ropeDim } = config;
  if (positions !== "rotary" || paramLayout === ropeLayout) return stacked([rows]);
  const from = (ropeLayout === "half" ? halfFromInterleaved : interleavedFromHalf)(headDim(config), ropeDim);
  return { sizes: [rows], to: (row) => [0, from(row)] };
}

/** Concatenates row maps of one part each. */
export function fusedRows(maps: readonly RowMap[]): RowMap {
  const stackedMap = stacked(maps.map(({ sizes }) => sizes[0]!));
  return {
    sizes: stackedMap.sizes,
    to(row) {
      const [part, partRow] = stackedMap.to(row);
      return [part, maps[part]!.to(partRow)[1]];
    },
  };
}

/**
 * Attention projections of a layer, and norms of queries and keys.
 *
 * @param ownsKeyValues - False for a layer that reuses the keys and values of another. Default true.
 */
export function attentionTensors(
  config: DecoderConfig,
  { ropeLayout, fusedAttention = false }: Pick<Options, "ropeLayout" | "fusedAttention">,
  ownsKeyValues = true,
): StoredTensor[] {
  const { embedDim: C, numHeads: H, numKvHeads: Hkv, qkNorm, sinks } = config;
  const D = headDim(config);
  const [queryGain, keyGain] = qkNorm === "heads" ? [H * D, Hkv * D] : [D, D];
  const rotated = (rows: number) => rotatedRows(config, ropeLayout, rows);
  const paramPaths = ["attention.query", "attention.key", "attention.value"];
  return [
    ...(fusedAttention
      ? [fused(paramPaths, "attn_qkv", fusedRows([rotated(H * D), rotated(Hkv * D), stacked([Hkv * D])]), C)]
      : [
          fused(["attention.query"], "attn_q", rotated(H * D), C),
          ...(ownsKeyValues
            ? [
                fused(["attention.key"], "attn_k", rotated(Hkv * D), C),
                linear("attention.value", "attn_v", [Hkv * D, C]),
              ]
            : []),
        ]),
    linear("attention.output", "attn_output", [C, H * D]),
    ...(qkNorm && qkNorm !== "unit"
      ? [
          norm("attention.queryNorm", "attn_q_norm", queryGain),
          ...(ownsKeyValues ? [norm("attention.keyNorm", "attn_k_norm", keyGain)] : []),
        ]
      : []),
    ...(sinks ? [stored("attention.sinks", "attn_sinks.weight", [H])] : []),
  ];
}

/** Projections of a feed-forward layer. */
export function feedForwardTensors(
  { embedDim: C, hiddenDim: F, gated = true }: DecoderConfig,
  { fusedGate = false }: GgufTensorNames = {},
): StoredTensor[] {
  return [
    under("feedForward", "", [
      ...(fusedGate
        ? [fused(["gate", "up"], "ffn_up", stacked([F, F]), C)]
        : [...(gated ? [linear("gate", "ffn_gate", [F, C])] : []), linear("up", "ffn_up", [F, C])]),
      linear("down", "ffn_down", [C, F]),
    ]),
  ];
}

/** Experts of a layer, each with its index in the name. The GGUF reader and writer convert them from and to one tensor. */
function expertTensors({ embedDim: C, hiddenDim, gated = true, experts }: DecoderConfig): StoredTensor[] {
  const { numExperts, hiddenDim: F = hiddenDim, router, shared } = experts!;
  const maps = (param: string, width: number, tensorName: (map: string) => string) => [
    ...(gated ? [linear(`${param}.gate`, tensorName("gate"), [width, C])] : []),
    linear(`${param}.up`, tensorName("up"), [width, C]),
    linear(`${param}.down`, tensorName("down"), [C, width]),
  ];
  return [
    linear("feedForward.router", "ffn_gate_inp", [numExperts, C]),
    ...(router?.choiceBias
      ? [stored("feedForward.router.choiceBias", "exp_probs_b.bias", [numExperts])]
      : []),
    ...Array.from({ length: numExperts }, (_, e) =>
      maps(`feedForward.experts.${e}`, F, (map) => `ffn_${map}.${e}`),
    ).flat(),
    ...(shared ? maps("feedForward.shared", shared.hiddenDim, (map) => `ffn_${map}_shexp`) : []),
    ...(shared?.gated
      ? [
          reshaped("feedForward.sharedGate.weight", "ffn_gate_inp_shexp.weight", {
            stored: [C],
            inParams: [1, C],
          }),
        ]
      : []),
  ];
}

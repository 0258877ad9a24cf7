import type { LatentParams } from "@qkv/attention";
import type { DecoderConfig } from "../../models/decoder-config.js";
import type { DecoderLayerParams, DecoderParams } from "../../models/decoder.js";
import { decoderHeadDim } from "../hugging-face-decoder.js";
import { unchanged } from "../../architectures/tensor-to-write.js";
import { alibiSubgraph } from "./alibi-subgraph.js";
import { softcapped } from "./attend-subgraph.js";
import { attentionSubgraph } from "./attention-subgraph.js";
import { feedForwardSubgraph } from "./feed-forward-subgraph.js";
import { latentSubgraph } from "./latent-subgraph.js";
import { linearSubgraph } from "./linear-subgraph.js";
import { causalMaskSubgraph } from "./mask-subgraph.js";
import { mixtureSubgraph } from "./mixture-subgraph.js";
import { normSubgraph } from "./norm-subgraph.js";
import type { OnnxGraph } from "./onnx-graph.js";
import { unsupportedInOnnx } from "./unsupported-in-onnx.js";
import { ropeSubgraph } from "./rope-subgraph.js";

/**
 * Builds the graph of a decoder. Inputs: `input_ids`, `attention_mask`, `position_ids`, `past_key_values.N.key` and `.value`. Outputs:
 * `logits`, `present.N.key` and `.value`, as in exports of Hugging Face Optimum.
 *
 * @param config - A normalized configuration.
 */
export function decoderGraph(g: OnnxGraph, config: DecoderConfig, params: DecoderParams): void {
  if (config.bidirectional) throw unsupportedInOnnx("config.bidirectional", true, "a causal model");
  refuseTraits(config);
  const ids = g.input("input_ids", ["batch_size", "sequence_length"], "int64");
  const attentionMask = g.input("attention_mask", ["batch_size", "total_sequence_length"], "int64");
  const positionIds = g.input("position_ids", ["batch_size", "sequence_length"], "int64");
  const normKind = { kind: config.norm ?? "rms", eps: config.normEps };
  const norm = (path: string, x: string, normParams: DecoderParams["norm"]) =>
    normSubgraph(g, path, x, normParams, normKind);
  const add = (x: string, y: string) => g.op("Add", [x, y]);
  const times = (x: string, factor = 1) => (factor === 1 ? x : g.op("Mul", [x, g.scalar(factor)]));
  const scaled = (added: string) => times(added, config.residualScale);

  const table = g.weight(unchanged("embedding.weight", params.embedding.weight));
  let x = g.op("Gather", [table, ids], { axis: 0 }); // [B, T, C]
  if (config.embeddingScale !== undefined) x = g.op("Mul", [x, g.scalar(config.embeddingScale)]);
  if (config.embeddingNorm) x = norm("embeddingNorm", x, params.embeddingNorm!);
  if (config.positions === "learned") {
    const rows = g.weight(unchanged("positions.weight", params.positions!.weight));
    x = add(x, g.op("Gather", [rows, positionIds], { axis: 0 }));
  }

  const ropeAndMask = (sliding: boolean) => {
    const hasLocalBase = sliding && config.slidingRopeBase !== undefined;
    const rotary = hasLocalBase
      ? { base: config.slidingRopeBase!, scaled: false }
      : { base: config.ropeBase ?? 10000, scaled: config.ropeScaling !== undefined };
    const rope = config.positions === "rotary" ? ropeSubgraph(g, config, rotary, positionIds) : undefined;
    return { rope, mask: causalMaskSubgraph(g, ids, attentionMask, sliding ? config.window : undefined) };
  };
  const isSliding = params.layers.map((_, i) => config.layerTypes?.[i] === "sliding");
  const [full, sliding] = [false, true].map((slides) =>
    isSliding.includes(slides) ? ropeAndMask(slides) : undefined,
  );
  const bias =
    config.positions === "alibi"
      ? alibiSubgraph(g, ids, attentionMask, { numHeads: config.numHeads, scale: config.alibiScale })
      : undefined;
  const feedForwardOptions = { activation: config.activation ?? "silu", gateLimit: config.gateLimit };
  const layer = (layerParams: DecoderLayerParams, i: number): void => {
    const path = `layers.${i}`;
    const { rope, mask } = (isSliding[i] ? sliding : full)!;
    const rotates = config.ropeLayers?.[i] ?? true;
    const layerOptions = { numHeads: config.numHeads, mask, layer: i, rope: rotates ? rope : undefined };
    const sublayers = {
      attention: (x: string) =>
        config.latent
          ? latentSubgraph(g, `${path}.attention`, x, layerParams.attention as object as LatentParams, {
              ...layerOptions,
              latent: config.latent,
              scale: config.attentionScale ?? (config.latent.nopeDim + config.latent.ropeDim) ** -0.5,
            })
          : attentionSubgraph(g, `${path}.attention`, x, layerParams.attention, {
              ...layerOptions,
              ...attentionOptions(config, rotates),
              bias,
            }),
      feedForward: (x: string) =>
        "router" in layerParams.feedForward
          ? mixtureSubgraph(
              g,
              `${path}.feedForward`,
              x,
              layerParams.feedForward,
              config.experts!,
              feedForwardOptions,
            )
          : feedForwardSubgraph(g, `${path}.feedForward`, x, layerParams.feedForward, feedForwardOptions),
    };
    const normed = (name: "attention" | "feedForward", x: string) =>
      norm(`${path}.${name}Norm`, x, layerParams[`${name}Norm`]);
    if (config.placement === "parallel" || config.placement === "parallelShared") {
      const attentionInput = normed("attention", x);
      const feedForwardInput = config.placement === "parallel" ? normed("feedForward", x) : attentionInput;
      x = add(
        x,
        add(scaled(sublayers.attention(attentionInput)), scaled(sublayers.feedForward(feedForwardInput))),
      );
      return;
    }
    for (const name of ["attention", "feedForward"] as const) {
      const outNormParams = layerParams[`${name}OutNorm`];
      if (config.placement === "post") {
        x = normed(name, add(x, scaled(sublayers[name](x))));
        continue;
      }
      if (config.placement === "after") {
        x = add(x, scaled(normed(name, sublayers[name](x))));
        continue;
      }
      const added = sublayers[name](normed(name, x));
      const hasOutNorm = outNormParams && config.placement === "both";
      x = add(x, scaled(hasOutNorm ? norm(`${path}.${name}OutNorm`, added, outNormParams) : added));
    }
  };
  params.layers.forEach(layer);

  x = norm("norm", x, params.norm);
  const logits = params.output
    ? linearSubgraph(g, "output", x, params.output)
    : g.op("MatMul", [x, g.op("Transpose", [table], { perm: [1, 0] })]);
  const outputName = g.output("logits", ["batch_size", "sequence_length", config.vocabSize]);
  g.op("Identity", [softcapped(g, times(logits, config.logitScale), config.logitSoftcap)], {}, outputName);
}

/** Attention options of a layer with or without RoPE. */
function attentionOptions(config: DecoderConfig, rotates: boolean) {
  const { numKvHeads, normEps, attentionScale, attentionSoftcap: softcap, qkNorm, qkNormPlace } = config;
  const headDim = decoderHeadDim(config);
  return {
    ...{ numKvHeads, headDim, softcap, normEps },
    scale: attentionScale ?? headDim ** -0.5,
    normOver: qkNorm === "heads" ? ("heads" as const) : ("head" as const),
    normPlace:
      qkNormPlace !== "afterRope" ? ("beforeRope" as const) : rotates ? qkNormPlace : ("none" as const),
  };
}

/** Options that ONNX export does not support. */
const unsupportedOptions = [
  "attentionGate",
  "feedForwardLayers",
  "chunkSize",
  "queryTemperature",
  "differential",
  "indexer",
  "valueNorm",
  "sharedKeyValues",
  "layerOverrides",
  "activationSparsity",
  "laurelRank",
  "altUp",
  "perLayerEmbedding",
  "layerScale",
  "bytePatches",
] as const satisfies readonly (keyof DecoderConfig)[];

/** Refuses options that ONNX export does not support. */
function refuseTraits(config: DecoderConfig): void {
  const { placement = "pre", qkNorm, experts } = config;
  const unsupported = unsupportedOptions.find((name) => config[name] !== undefined && config[name] !== false);
  if (unsupported)
    throw unsupportedInOnnx(`config.${unsupported}`, config[unsupported], "a model without it");
  if (placement === "normed")
    throw unsupportedInOnnx("config.placement", placement, "a residual sum of what is not normalized");
  if (qkNorm === "unit")
    throw unsupportedInOnnx("config.qkNorm", qkNorm, "norms of queries and keys that have gains");
  if (experts?.router?.applyWeightOn === "input")
    throw unsupportedInOnnx(
      "config.experts.router.applyWeightOn",
      "input",
      "shares that multiply outputs of experts",
    );
}

import { checks } from "@qkv/core";
import { attentionNames, layerNames, type LayerTraceName } from "../layers/trace.js";
import type { DecoderConfig } from "../models/decoder-config.js";
import { isRecurrent } from "../models/is-recurrent.js";

/**
 * Full names of the tensors that a decoder computes and a trace can hold, in the order in which they are computed:
 * `embeddings`, `layers.0.input`, `layers.0.attention.weights`, …
 *
 * @param config - The configuration of a decoder.
 * @returns Names for `trace.names`. Interventions support the same names except `dots`, `capped`, `scores` and `lse`, which exist
 *   only inside the attention operation.
 *
 * @example
 * ```ts
 * import { tensorNames } from "@qkv/transformer/inspection";
 *
 * const names = tensorNames({
 *   vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 1, numHeads: 2, numKvHeads: 1,
 *   contextLength: 32, normEps: 1e-5, stopIds: [],
 * });
 * names.slice(0, 3); // => ["embeddings", "layers.0.input", "layers.0.attentionInput"]
 * names.at(-1); // => "finalInput"
 * ```
 */
export function tensorNames(config: DecoderConfig): string[] {
  const check = checks("tensorNames");
  const fix = "give `model.config`.";
  check.each(
    { config },
    (value) => typeof value === "object" && value !== null,
    "the configuration of a decoder",
    fix,
  );
  check.whole({ "config.numLayers": config.numLayers }, { min: 0, fix });
  const names = Array.from({ length: config.numLayers }, (_, i) =>
    layerTensorNames(config, i).map((name) => `layers.${i}.${name}`),
  );
  return ["embeddings", ...names.flat(), "finalInput"];
}

function layerTensorNames(config: DecoderConfig, layer: number): readonly string[] {
  const { placement = "pre", experts, layerTypes, feedForwardLayers } = config;
  const kind = layerTypes?.[layer] ?? "full";
  const feedForward = feedForwardLayers?.[layer] ?? true;
  const attends = kind !== "none";
  const hasExperts = experts !== undefined && (experts.layers?.[layer] ?? true);
  const absent: readonly LayerTraceName[] = [
    ...(attends ? [] : (["attentionInput", "attentionOutput"] as const)),
    ...(feedForward ? [] : (["feedForwardInput", "feedForwardOutput"] as const)),
    ...(attends && feedForward && !placement.startsWith("parallel") ? [] : (["middle"] as const)),
    ...(feedForward === true && !hasExperts ? [] : (["feedForwardHidden"] as const)),
  ];
  const attentionTensors = !attends ? [] : isRecurrent(kind) ? ["heads"] : attentionNames;
  return layerNames
    .filter((name) => !absent.includes(name))
    .flatMap((name) =>
      name === "attentionInput" ? [name, ...attentionTensors.map((tensor) => `attention.${tensor}`)] : [name],
    );
}

import { ArgumentError } from "@qkv/core";
import type { ExportPlan } from "../export-plan.js";
import {
  huggingFaceFiles,
  isEncoder,
  formatJson,
  writeText,
  isVision,
  type ExportedStack,
  type ExportedVision,
} from "../hugging-face-folder.js";
import { normalizedConfig, refuseStackedLayers } from "../architecture-constraints.js";
import { bytesPerStoredElement, type StoredType } from "../stored-numbers.js";
import { decoderGraph } from "./decoder-graph.js";
import { encoderGraph } from "./encoder-graph.js";
import { visionGraph } from "./vision-graph.js";
import { writeOnnx } from "./onnx-file.js";
import { onnxGraph, opsets } from "./onnx-graph.js";

export type OnnxOptions = {
  dtype: StoredType;
  opset: 17 | 23;
  /** Maximum bytes of weights in the graph file. Larger weights are written to an external data file. */
  inlineBytes: number;
};

/**
 * A folder for Transformers.js: configuration and tokenizer of a Hugging Face folder, and the graph as
 * `onnx/model.onnx`. Weights may be stored in 16 bits; the graph computes in float32.
 */
export function planOnnx(
  model: ExportedStack | ExportedVision,
  { dtype, opset, inlineBytes }: OnnxOptions,
): ExportPlan {
  if (!isVision(model) && !isEncoder(model)) refuseStackedLayers(model.config);
  const { config, others } = huggingFaceFiles(model);
  const graph = onnxGraph(opset === opsets.standard ? "standard" : "composed", dtype);
  if (isVision(model)) visionGraph(graph, model.config, model.params);
  else if (isEncoder(model)) encoderGraph(graph, model.config, model.params);
  else decoderGraph(graph, normalizedConfig(model.config, model.params), model.params);
  const total = graph.weights.reduce(
    (sum, { tensor, full }) =>
      sum + tensor.shape.reduce((a, b) => a * b, bytesPerStoredElement[full ? "float32" : dtype]),
    0,
  );
  const external = total > Math.min(inlineBytes, maxInlineBytes);
  const configFields = {
    ...config,
    ...(external && { "transformers.js_config": { use_external_data_format: true } }),
  };
  return {
    total,
    async write(folder, onWrite) {
      await writeOnnx(graph, folder, { dtype, external, onWrite });
      for (const [name, content] of Object.entries(others)) await writeText(folder, name, content);
      await writeText(folder, "config.json", formatJson(configFields));
    },
  };
}

/** Limit for weights in the graph file: a protocol buffer has at most 2^31 bytes, including the graph itself. */
const maxInlineBytes = 2e9;

/** Refuses unsupported opset versions. */
export function checkOpset(opset: number): void {
  if (opset === 17 || opset === 23) return;
  throw new ArgumentError({
    fn: "exportModel",
    argument: "opset",
    received: opset,
    expected: "23 or 17",
    fix: "take 23, whose operators attention and its kin are; 17 for runtimes that are older.",
  });
}

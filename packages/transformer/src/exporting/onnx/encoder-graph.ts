import type { EncoderConfig, EncoderParams } from "../../models/encoder.js";
import { unchanged } from "../../architectures/tensor-to-write.js";
import { refuseTraits } from "../hugging-face-encoder.js";
import { activationSubgraph } from "./activation-subgraph.js";
import { attentionSubgraph } from "./attention-subgraph.js";
import { feedForwardSubgraph } from "./feed-forward-subgraph.js";
import { linearSubgraph } from "./linear-subgraph.js";
import { paddingMaskSubgraph } from "./mask-subgraph.js";
import { normSubgraph } from "./norm-subgraph.js";
import type { OnnxGraph } from "./onnx-graph.js";

/**
 * Builds the graph of an encoder. Inputs: `input_ids`, `attention_mask`, `token_type_ids`. Outputs: `last_hidden_state` and,
 * with its head, `logits` of masked tokens.
 */
export function encoderGraph(g: OnnxGraph, config: EncoderConfig, params: EncoderParams): void {
  refuseTraits(config);
  const shape = ["batch_size", "sequence_length"];
  const ids = g.input("input_ids", shape, "int64");
  const attentionMask = g.input("attention_mask", shape, "int64");
  const types = g.input("token_type_ids", shape, "int64");
  const { embedDim: C, numHeads, normEps: eps } = config;
  const activation = config.activation ?? "gelu";
  const norm = (path: string, x: string, normParams: EncoderParams["embeddingNorm"]) =>
    normSubgraph(g, path, x, normParams, { kind: "layer", eps });
  const add = (x: string, y: string) => g.op("Add", [x, y]);
  const gatherRows = (name: string, { weight }: EncoderParams["embedding"], indices: string) =>
    g.op("Gather", [g.weight(unchanged(`${name}.weight`, weight)), indices], { axis: 0 });

  const T = g.op("Gather", [g.op("Shape", [ids]), g.integer(1)], { axis: 0 });
  const positionIds = g.op("Range", [g.integer(0), T, g.integer(1)]);
  let x = add(
    gatherRows("embedding", params.embedding, ids),
    gatherRows("positions", params.positions, positionIds),
  );
  if (params.types) x = add(x, gatherRows("types", params.types, types));
  x = norm("embeddingNorm", x, params.embeddingNorm);
  const mask = paddingMaskSubgraph(g, attentionMask);
  const headDim = C / numHeads;
  params.layers.forEach((layerParams, i) => {
    const path = `layers.${i}`;
    const attentionOutput = attentionSubgraph(g, `${path}.attention`, x, layerParams.attention, {
      ...{ numHeads, numKvHeads: numHeads, headDim, scale: headDim ** -0.5, normEps: eps, mask },
    });
    x = norm(`${path}.attentionNorm`, add(x, attentionOutput), layerParams.attentionNorm);
    const feedForwardOutput = feedForwardSubgraph(g, `${path}.feedForward`, x, layerParams.feedForward, {
      activation,
    });
    x = norm(`${path}.feedForwardNorm`, add(x, feedForwardOutput), layerParams.feedForwardNorm);
  });
  g.op("Identity", [x], {}, g.output("last_hidden_state", [...shape, C]));

  const head = params.maskedTokenHead;
  if (!head) return;
  const activated = activationSubgraph(
    g,
    activation,
    linearSubgraph(g, "maskedTokenHead.dense", x, head.dense),
  );
  const normed = norm("maskedTokenHead.norm", activated, head.norm);
  const table = g.weight(unchanged("embedding.weight", params.embedding.weight));
  const rows = g.op("MatMul", [normed, g.op("Transpose", [table], { perm: [1, 0] })]);
  const bias = g.weight(unchanged("maskedTokenHead.bias", head.bias));
  g.op("Add", [rows, bias], {}, g.output("logits", [...shape, config.vocabSize]));
}

import { alibiSlopes } from "@qkv/attention";
import { tensor } from "@qkv/tensor";
import { unchanged } from "../../architectures/tensor-to-write.js";
import { distanceSubgraph } from "./mask-subgraph.js";
import type { OnnxGraph } from "./onnx-graph.js";

const float32Type = 1; // of ONNX TensorProto.DataType

/**
 * ALiBi bias, `[1, H, T, S]`: the distance of query and key times the negative slope of the head. Left padding shifts
 * both positions equally, so the distance does not change.
 *
 * @param ids - `[B, T]`
 * @param attentionMask - `[B, S]` int64.
 */
export function alibiSubgraph(
  g: OnnxGraph,
  ids: string,
  attentionMask: string,
  { numHeads, scale = 1 }: { numHeads: number; scale?: number | undefined },
): string {
  const slopes = tensor(
    alibiSlopes(numHeads).map((slope) => -slope * scale),
    { shape: [1, numHeads, 1, 1] },
  );
  const distance = g.op("Cast", [g.op("Abs", [distanceSubgraph(g, ids, attentionMask)])], {
    to: float32Type,
  }); // [T, S]
  // `full`: float32 also in a model with 16-bit weights.
  return g.op("Mul", [distance, g.weight(unchanged("alibi.slopes", slopes), { full: true })]);
}

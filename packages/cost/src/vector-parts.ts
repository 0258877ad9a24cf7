import { feedForwardParts } from "./feed-forward-parts.js";
import type { ModelShape } from "./model-shape.js";
import { norm, perRow, pointwise, product, tokenRows, type Part, type Rows } from "./part.js";

/** Parts after an encoder that compute the vector of a text or an image. */
export function vectorParts(shape: ModelShape): Part[] {
  const { embedDim: C, projection } = shape;
  return [
    ...(shape.attentionPooling ? attentionPoolingParts(shape) : []),
    ...(shape.pooler ? [product("pooler", vectors, { inputs: C, outputs: C, bias: true })] : []),
    ...(projection ? [product("projection", vectors, { inputs: C, ...projection })] : []),
  ];
}

const vectors: Rows = ({ batchSize }) => batchSize;

/** Attention pooling: a learned query attends to all rows, followed by a feed-forward layer; sizes are those of a layer. */
function attentionPoolingParts({ encoder, embedDim: C, norm: kind }: ModelShape): Part[] {
  const { attention, feedForward } = encoder!.layers[0]!;
  if (attention.kind !== "heads") return [];
  const { numHeads: H, headDim: D } = attention;
  const linear = (name: string, rows: Rows) =>
    product(`pooling ${name}`, rows, { inputs: C, outputs: C, bias: true });
  const scores = perRow("pooling scores", tokenRows, {
    parameters: 0,
    flops: H * (4 * D + 5), // dot product, weighted sum of the value, and 5 for the softmax
    activations: 2 * C,
    calls: 1,
  });
  return [
    perRow("pooling query row", vectors, { parameters: C, flops: 0, activations: C, calls: 1 }),
    linear("query", vectors),
    linear("key", tokenRows),
    linear("value", tokenRows),
    scores,
    linear("output", vectors),
    norm("pooling norm", vectors, kind, C),
    ...feedForwardParts(feedForward, C, vectors).map((part) => ({ ...part, name: `pooling ${part.name}` })),
    pointwise("pooling residual", vectors, C, 2),
  ];
}

import type { Layer, Norm, Stack } from "./model-shape.js";
import { norm, perRow, pointwise, product, type Part, type Rows } from "./part.js";

/** Width and norm of the model, and the rows of the pass. */
type LayerContext = { readonly embedDim: number; readonly norm: Norm; readonly rows: Rows };

/** Parts before the first layer: projections to AltUp streams, and per-layer embeddings. */
export function partsBeforeLayers({ streams, inputDim, layers }: Stack, context: LayerContext): Part[] {
  const { embedDim: C, norm: kind, rows } = context;
  const totalInputDim = layers.length * (inputDim ?? 0);
  return [
    ...(inputDim === undefined
      ? []
      : [
          product("layer embeddings projection", rows, { inputs: C, outputs: totalInputDim }),
          norm("layer embeddings norm", rows, kind, inputDim, layers.length),
          pointwise("layer embeddings added", rows, totalInputDim, 2),
        ]),
    ...streamProjections("streams", streams?.count ?? 1, context),
  ];
}

/** Parts after the last layer: AltUp streams are merged into one. */
export const partsAfterLayers = ({ streams }: Stack, context: LayerContext): Part[] =>
  streamProjections("streams merged", streams?.count ?? 1, context);

/** A linear map for each stream except the first, whose outputs are scaled to the magnitude of the first. */
function streamProjections(name: string, count: number, { embedDim: C, rows }: LayerContext): Part[] {
  if (count === 1) return [];
  const maps = (run: Parameters<Rows>[0]) => (count - 1) * rows(run);
  const projection = product(name, maps, { inputs: C, outputs: C });
  const parameters = (count - 1) * C * C;
  return [
    { ...projection, parameters, activeParameters: parameters },
    pointwise(`${name}, magnitudes`, maps, C, 2, 4),
  ];
}

/** Parts of a layer besides attention and feed-forward: AltUp, LAuReL, per-layer embeddings, a scale. */
export function extraLayerParts(
  { inputDim, scale }: Layer,
  { streams }: Stack,
  context: LayerContext,
): Part[] {
  const { embedDim: C, norm: kind, rows } = context;
  return [
    ...(streams ? streamParts(streams, context) : []),
    ...(inputDim === undefined
      ? []
      : [
          product("layer embedding gate", rows, { inputs: C, outputs: inputDim }),
          pointwise("layer embedding gating", rows, inputDim, 2, 2),
          product("layer embedding up", rows, { inputs: inputDim, outputs: C }),
          norm("layer embedding norm", rows, kind, C),
          pointwise("layer embedding added", rows, C, 2),
        ]),
    ...(scale
      ? [perRow("layer scale", rows, { parameters: 1, flops: C, activations: 2 * C, calls: 1 })]
      : []),
  ];
}

function streamParts(
  { count: N, rank }: NonNullable<Stack["streams"]>,
  { embedDim: C, norm: kind, rows }: LayerContext,
): Part[] {
  return [
    // AltUp: a router reads the active stream twice; its coefficients predict all streams and correct them.
    perRow("streams predicted and corrected", rows, {
      parameters: C + N * C + N ** 3 + N ** 2 + C,
      flops: 2 * (4 * C + 2 * N * C) + 2 * N ** 3 + 2 * N ** 2 + 2 * N ** 2 * C + 4 * N * C + C,
      activations: 6 * N * C,
      calls: 10,
    }),
    product("learned residual down", rows, { inputs: C, outputs: rank }),
    product("learned residual up", rows, { inputs: rank, outputs: C }),
    norm("learned residual norm", rows, kind, C),
    pointwise("learned residual added", rows, C, 2, 3),
  ];
}

import type { Layer, Norm, Stack } from "./model-shape.js";
import { norm, perRow, pointwise, product, type Part, type Rows } from "./part.js";

/** Sizes around a layer: the model's width, its norms, and the rows that pass. */
type Place = { readonly embedDim: number; readonly norm: Norm; readonly rows: Rows };

/** Streams made of embeddings, and embeddings of all layers, before the first one. */
export function partsBeforeLayers({ streams, inputDim, layers }: Stack, place: Place): Part[] {
  const { embedDim: C, norm: kind, rows } = place;
  const all = layers.length * (inputDim ?? 0);
  return [
    ...(inputDim === undefined
      ? []
      : [
          product("layer embeddings projection", rows, { inputs: C, outputs: all }),
          norm("layer embeddings norm", rows, kind, inputDim, layers.length),
          pointwise("layer embeddings added", rows, all, 2),
        ]),
    ...mapsOfStreams("streams", streams?.count ?? 1, place),
  ];
}

/** One stream made of all, after the last layer. */
export const partsBehindLayers = ({ streams }: Stack, place: Place): Part[] =>
  mapsOfStreams("streams merged", streams?.count ?? 1, place);

/** A map for each stream but the first, whose outputs have the first one's magnitude. */
function mapsOfStreams(name: string, count: number, { embedDim: C, rows }: Place): Part[] {
  if (count === 1) return [];
  const maps = (run: Parameters<Rows>[0]) => (count - 1) * rows(run);
  const one = product(name, maps, { inputs: C, outputs: C });
  const parameters = (count - 1) * C * C;
  return [
    { ...one, parameters, activeParameters: parameters },
    pointwise(`${name}, magnitudes`, maps, C, 2, 4),
  ];
}

/** Parts of a layer beside its attention and its network: streams, a learned residual, an embedding, a factor. */
export function partsBeside({ inputDim, scale }: Layer, { streams }: Stack, place: Place): Part[] {
  const { embedDim: C, norm: kind, rows } = place;
  return [
    ...(streams ? partsOfStreams(streams, place) : []),
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

function partsOfStreams(
  { count: N, rank }: NonNullable<Stack["streams"]>,
  { embedDim: C, norm: kind, rows }: Place,
): Part[] {
  return [
    // A router reads the active stream twice; its shares predict the other streams from all, and correct them.
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

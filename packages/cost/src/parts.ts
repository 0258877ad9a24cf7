import { attentionParts } from "./attention-parts.js";
import { convolutionParts } from "./convolution-parts.js";
import { feedForwardParts } from "./feed-forward-parts.js";
import type { Layer, ModelShape, Stack } from "./model-shape.js";
import { partsBeforeLayers, partsAfterLayers, extraLayerParts } from "./stream-parts.js";
import {
  lookup,
  norm,
  outputRows,
  perRow,
  pointwise,
  product,
  sourceRows,
  tokenRows,
  type Part,
  type Rows,
} from "./part.js";
import { vectorParts } from "./vector-parts.js";

/** A part, with the number of layers that have it. */
export type PlacedPart = Part & { readonly times: number };

/** All parts of a model. Equal layers share entries. */
export function parts(shape: ModelShape): PlacedPart[] {
  const { encoder, decoder, embedDim: C, tokenDim, vocabSize } = shape;
  const isEncoderDecoder = encoder !== undefined && decoder !== undefined;
  const encoderRows = isEncoderDecoder ? sourceRows : tokenRows;
  // Audio and images are input of convolutions, text of the token table, which both stacks share.
  const hasConvolutions = (encoder?.convolutions.length ?? 0) > 0;
  const tokens = { rows: vocabSize, width: tokenDim };
  const maps = { inputs: tokenDim, outputs: C, bias: shape.tokenMapBias ?? false };
  return [
    ...(encoder && !hasConvolutions ? placeOnce([lookup("token embedding", encoderRows, tokens)]) : []),
    ...(encoder ? stackParts(encoder, shape, encoderRows, "encoder ") : []),
    ...(decoder
      ? placeOnce([
          lookup("token embedding", tokenRows, {
            ...tokens,
            shared: encoder !== undefined && !hasConvolutions,
          }),
        ])
      : []),
    ...(tokenDim === C ? [] : placeOnce([product("embedding in", tokenRows, maps)])),
    ...(decoder ? stackParts(decoder, shape, tokenRows, isEncoderDecoder ? "decoder " : "") : []),
    ...placeOnce(vectorParts(shape)),
    ...(tokenDim === C || shape.output === "none"
      ? []
      : placeOnce([product("embedding out", outputRows, { inputs: C, outputs: tokenDim })])),
    ...placeOnce(outputParts(shape)),
    ...(shape.images ? imageParts(shape.images) : []),
  ];
}

const placeOnce = (list: Part[]): PlacedPart[] => list.map((part) => ({ ...part, times: 1 }));

/** Parts of the image encoder of CLIP and SigLIP: one image for each text of the batch. */
function imageParts(images: NonNullable<ModelShape["images"]>): PlacedPart[] {
  const rows = images.encoder!.rows!;
  const encoderParts = parts(images).map((part): PlacedPart => ({
    ...part,
    name: `image ${part.name}`,
    work: (run) => part.work({ ...run, queryLength: rows, keyLength: rows }),
  }));
  const parameters = images.similarityNumbers;
  const similarity = perRow("similarity", () => 1, { parameters, flops: 0, activations: 0, calls: 0 });
  return [...encoderParts, ...placeOnce([similarity])];
}

/** Parts of the logits. Tied logits read the token table and add no parameters. */
function outputParts({ output, outputBias, outputScale, tokenDim, vocabSize }: ModelShape): Part[] {
  if (output === "none") return [];
  const head = product("logits", outputRows, { inputs: tokenDim, outputs: vocabSize, bias: outputBias });
  const headParameters = outputBias ? vocabSize : 0;
  return [
    ...(outputScale ? [pointwise("logit scale", outputRows, tokenDim, 1)] : []),
    output === "own" ? head : { ...head, parameters: headParameters, activeParameters: headParameters },
  ];
}

function stackParts(stack: Stack, shape: ModelShape, rows: Rows, prefix: string): PlacedPart[] {
  const { embedDim: C, norm: kind } = shape;
  const { embeddingDim: E = C, ownLayers = stack.layers.length, registers = 0 } = stack;
  const positionedRows: Rows = (run) => rows(run) - registers * run.batchSize; // registers have no positions
  const before: Part[] = [
    ...convolutionParts(stack, C, rows),
    ...(stack.embeddingScale ? [pointwise("embedding scale", rows, E, 1)] : []),
    ...(stack.sinusoids ? [pointwise("positions added", rows, E, 2)] : []),
    ...stack.tables.flatMap((table) => [
      lookup(table.name, positionedRows, table),
      ...(table.width === E ? [pointwise(`${table.name} added`, positionedRows, E, 2)] : []),
    ]),
    ...(stack.embeddingNorm ? [norm("embedding norm", rows, kind, E)] : []),
    ...partsBeforeLayers(stack, { embedDim: C, norm: kind, rows }),
  ];
  const counts = new Map<Layer, number>();
  for (const layer of stack.layers) counts.set(layer, (counts.get(layer) ?? 0) + 1);
  const layers = [...counts].flatMap(([layer, times]) => {
    const partsOfLayer = layerParts(layer, stack, shape, rows);
    const numSharing = stack.layers.length - ownLayers;
    if (numSharing === 0) return partsOfLayer.map((part) => ({ ...part, times }));
    const shared = partsOfLayer.map((part) => ({ ...part, parameters: 0, activeParameters: 0 }));
    return [
      ...partsOfLayer.map((part) => ({ ...part, times: ownLayers })),
      ...shared.map((part) => ({ ...part, times: numSharing })),
    ];
  });
  const after = [
    ...partsAfterLayers(stack, { embedDim: C, norm: kind, rows }),
    ...(stack.finalNorm
      ? [norm("final norm", stack.pooledNorm ? ({ batchSize }) => batchSize : rows, kind, C)]
      : []),
  ];
  return [...placeOnce(before), ...layers, ...placeOnce(after)].map((part) => ({
    ...part,
    name: prefix + part.name,
  }));
}

function layerParts(layer: Layer, stack: Stack, shape: ModelShape, rows: Rows): Part[] {
  const { embedDim: C, norm: kind } = shape;
  const role = stack === shape.encoder ? "encoder" : "self";
  const context = { embedDim: C, norm: kind, rows, role } as const;
  const isPresent = ({ kind }: { readonly kind: string }) => (kind === "none" ? 0 : 1);
  const residualCount = isPresent(layer.attention) + (layer.cross ? 1 : 0) + isPresent(layer.feedForward);
  const crossParts = layer.cross ? attentionParts(layer.cross, { ...context, role: "cross" }) : [];
  const scale = perRow("layer scale", rows, { parameters: C, flops: C, activations: 2 * C, calls: 1 });
  return [
    ...Array.from({ length: layer.norms }, () => norm("norm", rows, kind, C)),
    ...(layer.attention.kind === "none" ? [] : attentionParts(layer.attention, context)),
    ...(layer.state ? [...attentionParts(layer.state, context), pointwise("attention sum", rows, C, 2)] : []),
    ...crossParts.map((part) => ({ ...part, name: `cross-${part.name}` })),
    ...feedForwardParts(layer.feedForward, C, rows),
    ...(layer.partScales ? Array.from({ length: residualCount }, () => scale) : []),
    ...extraLayerParts(layer, stack, context),
    ...Array.from({ length: residualCount }, () => pointwise("residual", rows, C, 2)),
  ];
}

import { attentionParts } from "./attention-parts.js";
import { convolutionParts } from "./convolution-parts.js";
import { feedForwardParts } from "./feed-forward-parts.js";
import type { Layer, ModelShape, Stack } from "./model-shape.js";
import { partsBeforeLayers, partsBehindLayers, partsBeside } from "./stream-parts.js";
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

/** A part, and how many layers have it. */
export type PlacedPart = Part & { readonly times: number };

/** Everything that a model is made of. Equal layers are one entry. */
export function parts(shape: ModelShape): PlacedPart[] {
  const { encoder, decoder, embedDim: C, tokenDim, vocabSize } = shape;
  const both = encoder !== undefined && decoder !== undefined;
  const encoderRows = both ? sourceRows : tokenRows;
  // Sound and images come into an encoder by convolutions, text by the token table, which both stacks share.
  const hears = (encoder?.convolutions.length ?? 0) > 0;
  const tokens = { rows: vocabSize, width: tokenDim };
  const maps = { inputs: tokenDim, outputs: C, bias: shape.tokenMapBias ?? false };
  return [
    ...(encoder && !hears ? once([lookup("token embedding", encoderRows, tokens)]) : []),
    ...(encoder ? stackParts(encoder, shape, encoderRows, "encoder ") : []),
    ...(decoder
      ? once([lookup("token embedding", tokenRows, { ...tokens, shared: encoder !== undefined && !hears })])
      : []),
    ...(tokenDim === C ? [] : once([product("embedding in", tokenRows, maps)])),
    ...(decoder ? stackParts(decoder, shape, tokenRows, both ? "decoder " : "") : []),
    ...once(vectorParts(shape)),
    ...(tokenDim === C || shape.output === "none"
      ? []
      : once([product("embedding out", outputRows, { inputs: C, outputs: tokenDim })])),
    ...once(outputParts(shape)),
    ...(shape.images ? imageParts(shape.images) : []),
  ];
}

const once = (list: Part[]): PlacedPart[] => list.map((part) => ({ ...part, times: 1 }));

/** The encoder of images beside that of texts: one image for each text of the batch. */
function imageParts(images: NonNullable<ModelShape["images"]>): PlacedPart[] {
  const rows = images.encoder!.rows!;
  const own = parts(images).map((part): PlacedPart => ({
    ...part,
    name: `image ${part.name}`,
    work: (run) => part.work({ ...run, queryLength: rows, keyLength: rows }),
  }));
  const parameters = images.similarityNumbers;
  const similarity = perRow("similarity", () => 1, { parameters, flops: 0, activations: 0, calls: 0 });
  return [...own, ...once([similarity])];
}

/** Logits. Made with the token table, they read it and add no parameters. */
function outputParts({ output, outputBias, outputScale, tokenDim, vocabSize }: ModelShape): Part[] {
  if (output === "none") return [];
  const head = product("logits", outputRows, { inputs: tokenDim, outputs: vocabSize, bias: outputBias });
  const own = outputBias ? vocabSize : 0;
  return [
    ...(outputScale ? [pointwise("logit scale", outputRows, tokenDim, 1)] : []),
    output === "own" ? head : { ...head, parameters: own, activeParameters: own },
  ];
}

function stackParts(stack: Stack, shape: ModelShape, rows: Rows, prefix: string): PlacedPart[] {
  const { embedDim: C, norm: kind } = shape;
  const { embeddingDim: E = C, ownLayers = stack.layers.length, registers = 0 } = stack;
  const placed: Rows = (run) => rows(run) - registers * run.batchSize; // registers have no positions
  const before: Part[] = [
    ...convolutionParts(stack, C, rows),
    ...(stack.embeddingScale ? [pointwise("embedding scale", rows, E, 1)] : []),
    ...(stack.sinusoids ? [pointwise("positions added", rows, E, 2)] : []),
    ...stack.tables.flatMap((table) => [
      lookup(table.name, placed, table),
      ...(table.width === E ? [pointwise(`${table.name} added`, placed, E, 2)] : []),
    ]),
    ...(stack.embeddingNorm ? [norm("embedding norm", rows, kind, E)] : []),
    ...partsBeforeLayers(stack, { embedDim: C, norm: kind, rows }),
  ];
  const counts = new Map<Layer, number>();
  for (const layer of stack.layers) counts.set(layer, (counts.get(layer) ?? 0) + 1);
  const layers = [...counts].flatMap(([layer, times]) => {
    const own = layerParts(layer, stack, shape, rows);
    const sharing = stack.layers.length - ownLayers;
    if (sharing === 0) return own.map((part) => ({ ...part, times }));
    const shared = own.map((part) => ({ ...part, parameters: 0, activeParameters: 0 }));
    return [
      ...own.map((part) => ({ ...part, times: ownLayers })),
      ...shared.map((part) => ({ ...part, times: sharing })),
    ];
  });
  const after = [
    ...partsBehindLayers(stack, { embedDim: C, norm: kind, rows }),
    ...(stack.finalNorm
      ? [norm("final norm", stack.pooledNorm ? ({ batchSize }) => batchSize : rows, kind, C)]
      : []),
  ];
  return [...once(before), ...layers, ...once(after)].map((part) => ({ ...part, name: prefix + part.name }));
}

function layerParts(layer: Layer, stack: Stack, shape: ModelShape, rows: Rows): Part[] {
  const { embedDim: C, norm: kind } = shape;
  const role = stack === shape.encoder ? "encoder" : "self";
  const place = { embedDim: C, norm: kind, rows, role } as const;
  const has = ({ kind }: { readonly kind: string }) => (kind === "none" ? 0 : 1);
  const sums = has(layer.attention) + (layer.cross ? 1 : 0) + has(layer.feedForward);
  const crossing = layer.cross ? attentionParts(layer.cross, { ...place, role: "cross" }) : [];
  const scale = perRow("layer scale", rows, { parameters: C, flops: C, activations: 2 * C, calls: 1 });
  return [
    ...Array.from({ length: layer.norms }, () => norm("norm", rows, kind, C)),
    ...(layer.attention.kind === "none" ? [] : attentionParts(layer.attention, place)),
    ...(layer.state ? [...attentionParts(layer.state, place), pointwise("attention sum", rows, C, 2)] : []),
    ...crossing.map((part) => ({ ...part, name: `cross-${part.name}` })),
    ...feedForwardParts(layer.feedForward, C, rows),
    ...(layer.partScales ? Array.from({ length: sums }, () => scale) : []),
    ...partsBeside(layer, stack, place),
    ...Array.from({ length: sums }, () => pointwise("residual", rows, C, 2)),
  ];
}

import { attentionParts } from "./attention-parts.js";
import { feedForwardParts } from "./feed-forward-parts.js";
import type { Layer, ModelShape, Stack } from "./model-shape.js";
import { partsBeforeLayers, partsBehindLayers, partsBeside } from "./stream-parts.js";
import {
  lookup,
  norm,
  outputRows,
  pointwise,
  product,
  sourceRows,
  tokenRows,
  type Part,
  type Rows,
} from "./part.js";

/** A part, and how many layers have it. */
export type PlacedPart = Part & { readonly times: number };

/** Everything that a model is made of. Equal layers are one entry. */
export function parts(shape: ModelShape): PlacedPart[] {
  const { encoder, decoder, embedDim: C, tokenDim, vocabSize } = shape;
  const once = (list: Part[]) => list.map((part) => ({ ...part, times: 1 }));
  const both = encoder !== undefined && decoder !== undefined;
  const encoderRows = both ? sourceRows : tokenRows;
  // Sound comes into an encoder by convolutions, text by the token table, which both stacks share.
  const hears = (encoder?.convolutions.length ?? 0) > 0;
  const tokens = { rows: vocabSize, width: tokenDim };
  return [
    ...(encoder && !hears ? once([lookup("token embedding", encoderRows, tokens)]) : []),
    ...(encoder ? stackParts(encoder, shape, encoderRows, "encoder ") : []),
    ...(decoder
      ? once([lookup("token embedding", tokenRows, { ...tokens, shared: encoder !== undefined && !hears })])
      : []),
    ...(tokenDim === C ? [] : once([product("embedding in", tokenRows, { inputs: tokenDim, outputs: C })])),
    ...(decoder ? stackParts(decoder, shape, tokenRows, both ? "decoder " : "") : []),
    ...(shape.pooler
      ? once([product("pooler", ({ batchSize }) => batchSize, { inputs: C, outputs: C, bias: true })])
      : []),
    ...(tokenDim === C ? [] : once([product("embedding out", outputRows, { inputs: C, outputs: tokenDim })])),
    ...once(outputParts(shape)),
  ];
}

/** Logits. Made with the token table, they read it and add no parameters. */
function outputParts({ output, outputBias, tokenDim, vocabSize }: ModelShape): Part[] {
  if (output === "none") return [];
  const head = product("logits", outputRows, { inputs: tokenDim, outputs: vocabSize, bias: outputBias });
  if (output === "own") return [head];
  const own = outputBias ? vocabSize : 0;
  return [{ ...head, parameters: own, activeParameters: own }];
}

function stackParts(stack: Stack, shape: ModelShape, rows: Rows, prefix: string): PlacedPart[] {
  const { embedDim: C, norm: kind } = shape;
  const before: Part[] = [
    ...stack.convolutions.map(({ kernel, inputs, outputs, stride }) =>
      product("convolution", (run) => rows(run) * (stride === 1 ? 2 : 1), {
        inputs: kernel * inputs,
        outputs,
        bias: true,
      }),
    ),
    ...stack.tables.flatMap((table) => [
      lookup(table.name, rows, table),
      ...(table.width === C ? [pointwise(`${table.name} added`, rows, C, 2)] : []),
    ]),
    ...(stack.embeddingNorm ? [norm("embedding norm", rows, kind, C)] : []),
    ...partsBeforeLayers(stack, { embedDim: C, norm: kind, rows }),
  ];
  const counts = new Map<Layer, number>();
  for (const layer of stack.layers) counts.set(layer, (counts.get(layer) ?? 0) + 1);
  const layers = [...counts].flatMap(([layer, times]) =>
    layerParts(layer, stack, shape, rows).map((part) => ({ ...part, times })),
  );
  const after = [
    ...partsBehindLayers(stack, { embedDim: C, norm: kind, rows }),
    ...(stack.finalNorm ? [norm("final norm", rows, kind, C)] : []),
  ];
  const once = (list: Part[]) => list.map((part) => ({ ...part, times: 1 }));
  return [...once(before), ...layers, ...once(after)].map((part) => ({ ...part, name: prefix + part.name }));
}

function layerParts(layer: Layer, stack: Stack, shape: ModelShape, rows: Rows): Part[] {
  const { embedDim: C, norm: kind } = shape;
  const role = stack === shape.encoder ? "encoder" : "self";
  const place = { embedDim: C, norm: kind, rows, role } as const;
  const has = ({ kind }: { readonly kind: string }) => (kind === "none" ? 0 : 1);
  const sums = has(layer.attention) + (layer.cross ? 1 : 0) + has(layer.feedForward);
  const crossing = layer.cross ? attentionParts(layer.cross, { ...place, role: "cross" }) : [];
  return [
    ...Array.from({ length: layer.norms }, () => norm("norm", rows, kind, C)),
    ...(layer.attention.kind === "none" ? [] : attentionParts(layer.attention, place)),
    ...(layer.state ? [...attentionParts(layer.state, place), pointwise("attention sum", rows, C, 2)] : []),
    ...crossing.map((part) => ({ ...part, name: `cross-${part.name}` })),
    ...feedForwardParts(layer.feedForward, C, rows),
    ...partsBeside(layer, stack, place),
    ...Array.from({ length: sums }, () => pointwise("residual", rows, C, 2)),
  ];
}

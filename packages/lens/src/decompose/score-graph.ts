import { checks, type Checks } from "@qkv/core";
import { cast, concat, isTensor, linear, matmul, mul, slice, sum, tensor, type Tensor } from "@qkv/tensor";
import { layerAttention } from "@qkv/transformer";
import type { HeadPlace } from "../heads/head-place.js";
import type { LensModel, TokenInput } from "../lens-model.js";
import { frozenFeedForward } from "./frozen-feed-forward.js";
import { keyNames, residualStream, type ResidualStream, type StreamOptions } from "./residual-stream.js";
import { sourceOf, type PartKind, type PartSource, type ResidualPart } from "./residual-part.js";
import { scoreSides, type ScorePlace } from "./score-sides.js";

export type ScoreGraphOptions = {
  /** Steps from the score back: 1 is the sources of the query and of the key, 2 what the heads among them read. Default 2. */
  readonly depth?: number;
  /** Parts below this share of the largest one of the score are pooled, for each node. Default 0.05. */
  readonly threshold?: number;
  /** Names of a source of the query and of one of the key, as `scoreParts` gives them: their part alone is traced. Default: the score. */
  readonly pair?: { readonly query: string; readonly key: string };
};

/** A source of a score, or of another source. */
export type ScoreNode = Omit<PartSource, "kind"> & {
  /** Its place in the list. */
  readonly id: number;
  /** The node that read it. Absent: the score itself. */
  readonly parent?: number;
  /** `others`: parts below the threshold, together. */
  readonly kind: PartKind | "others";
  /** The side of the score that it is a part of. */
  readonly side: "query" | "key";
  /** Position of the row that it was written to. Absent for `others`. */
  readonly position?: number;
  /** Its part of the score. */
  readonly value: number;
};

/** The sources of a score, and theirs. */
export type ScoreGraph = {
  /** `scale · q · k`, before softcap and biases, or the part of a pair: the sum of the nodes of each side without a parent. */
  readonly dot: number;
  /** Weight of the key after the softmax. */
  readonly weight: number;
  /** The children of a node sum to it. */
  readonly nodes: readonly ScoreNode[];
};

/**
 * Traces the score of a query and a key back: to the sources of the query and of the key, from each head among them to what
 * that head read, position by position, and from each feed-forward layer to what stood in its row. A path through the graph is a
 * reason: an earlier head moved the embedding of a token to the place where this head finds it.
 *
 * The dot product is linear in the query and in the key, so it is split twice: the parts of each side sum to it. After a head,
 * the weights of attention are frozen, as are the scales of norms; its part is then linear in the values, and the children of a node sum to
 * it, to 1e-10 in float64. A feed-forward layer is not linear: its parts are those of a linear map, in which each neuron's gate, or
 * the ratio of its activation to its sum, is that of this run (the identity rule of AttnLRP). They sum to the node too, but
 * with another input the neurons would be others. Parts below the threshold are pooled in a node `others`. Heads of latent and
 * differential attention, those that read keys and values of another layer, and experts are not traced on.
 *
 * @param input - A text, a list of ids, or ids `[1, T]`.
 * @param place - Layer, head, and the positions of query and key, all from 0.
 * @throws {ArgumentError} If the layer has no scores, a number is out of range, or weights are rounded to 8 or 4 bits.
 * @see "A Mathematical Framework for Transformer Circuits" (2021), https://transformer-circuits.pub/2021/framework
 * @see "AttnLRP: Attention-Aware Layer-Wise Relevance Propagation for Transformers" (2024), arXiv:2402.05602
 *
 * @example
 * ```ts
 * import { decoder } from "@qkv/transformer";
 * import { inFloat64, scoreGraph } from "@qkv/lens";
 *
 * const config = {
 *   vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 2, numHeads: 2, numKvHeads: 1,
 *   contextLength: 32, normEps: 1e-5, stopIds: [],
 * };
 * const { init, apply } = decoder(config);
 * const model = inFloat64({ config, params: init(1), apply });
 * const { dot, nodes } = scoreGraph(model, [3, 1, 4], { layer: 1, head: 0, query: 2, key: 1 }, { threshold: 0 });
 * const ofKey = nodes.filter(({ side, parent }) => side === "key" && parent === undefined);
 * Math.abs(ofKey.reduce((sum, { value }) => sum + value, 0) - dot) < 1e-10; // => true
 * nodes.some(({ name, parent }) => name === "embedding" && parent !== undefined); // => true
 * ```
 */
export function scoreGraph(
  model: LensModel,
  input: TokenInput,
  place: ScorePlace,
  options?: ScoreGraphOptions,
): ScoreGraph {
  return graphOfScore(model, input, place, options);
}

/** The graph of a score; `ownMask`: true for a model whose attention has no mask but that of its layers. */
export function graphOfScore(
  model: LensModel,
  input: TokenInput,
  place: ScorePlace,
  options?: ScoreGraphOptions,
  { ownMask = false }: { readonly ownMask?: boolean } = {},
): ScoreGraph {
  const { depth = 2, threshold = 0.05, pair } = check.options(options, ["depth", "threshold", "pair"]);
  check.whole({ depth }, { min: 1, unit: "steps" });
  check.finite({ threshold }, { min: 0, max: 1 });
  const { query, key, scale, numbers, tensors } = scoreSides(check, model, input, place, {
    ...{ more: [...keyNames, "feedForwardInput", "feedForwardHidden"], ownMask },
  });
  const sides = { query, key };
  /** The vector of a side, or of its source in the pair, `[1, D]`. */
  const total = (side: "query" | "key") => {
    const { vectors, sources } = sides[side].vectors(sides[side].parts);
    if (!pair) return sum(vectors, { axis: 0, keepDims: true });
    const names = sources.map(({ name }) => name);
    check.oneOf({ [`pair.${side}`]: pair[side] }, names, "give a source as `scoreParts` names it.");
    const i = names.indexOf(pair[side]);
    return slice(vectors, 0, i, i + 1);
  };
  const totals = { query: total("query"), key: total("key") };
  const rows = (["query", "key"] as const).map((side): RowReader => {
    const { layer, position, vectors } = sides[side];
    const other = totals[side === "query" ? "key" : "query"];
    return {
      position,
      input: (stream) => stream.attentionInput(layer).parts,
      read(parts) {
        const own = vectors(parts);
        const values = mul(linear(own.vectors, other), scale).data;
        return own.sources.map((source, i) => ({ source: sourceOf(source), position, value: values[i]! }));
      },
    };
  });
  const first = rows.map((row, i): Sources => {
    const side = i === 0 ? "query" : "key";
    const parts = row.read(sides[side].parts);
    return {
      parts: pair ? parts.filter(({ source }) => source.name === pair[side]) : parts,
      rowAt: () => row,
    };
  });
  const size = ({ value }: Part) => Math.abs(value);
  const least = threshold * Math.max(...first.flatMap(({ parts }) => parts.map(size)));
  const nodes: ScoreNode[] = [];
  const { device } = model.params.norm.weight;
  const sourcesOf = { head: headSources(model, tensors), feedForward: feedForwardSources(model, tensors) };

  const add = ({ parts, rowAt }: Sources, side: "query" | "key", left: number, parent?: number): void => {
    const above = parent === undefined ? {} : { parent };
    const large = parts.filter((part) => size(part) >= least).sort((a, b) => size(b) - size(a));
    for (const { source, position, value } of large) {
      const id = nodes.length;
      nodes.push({ ...source, ...above, id, side, position, value });
      // Parts that were ablated have no sources.
      if (left <= 1 || value === 0 || (source.kind !== "head" && source.kind !== "feedForward")) continue;
      const { kind } = source;
      // Parts of parts would fill memory: those of a source are freed once it is traced.
      device.scope(() => {
        const next = sourcesOf[kind](source as HeadPlace, rowAt(position));
        if (next) add(next, side, left - 1, id);
      });
    }
    const small = parts.filter((part) => size(part) < least);
    if (small.length === 0) return;
    const value = small.reduce((sum, part) => sum + part.value, 0);
    nodes.push({ id: nodes.length, ...above, name: "others", kind: "others", side, value });
  };
  add(first[0]!, "query", depth);
  add(first[1]!, "key", depth);
  const dot = pair ? first[0]!.parts[0]!.value : numbers.dot;
  return { dot, weight: numbers.weight, nodes };
}

/** A part of the score, written by a source to the row of a position. */
type Part = { readonly source: PartSource; readonly position: number; readonly value: number };

/** A linear map of the row that a part of a layer reads at a position, of its parts to parts of the score. */
type RowReader = {
  readonly position: number;
  /** Parts of the row, in a stream that follows its position alone. */
  input(stream: ResidualStream): readonly ResidualPart[];
  read(parts: readonly ResidualPart[]): readonly Part[];
};

/** Parts of the score, and the maps that made them of the rows that they are in. */
type Sources = { readonly parts: readonly Part[]; rowAt(position: number): RowReader };

/** Keys whose rows are split at once. */
const keysAtOnce = 64;

/** The sources of a head's part: what stands in the rows that it attends to, through its values. Undefined: it is not traced on. */
function headSources(
  model: LensModel,
  tensors: Readonly<Record<string, Tensor>>,
): (head: HeadPlace, reader: RowReader) => Sources | undefined {
  const { config, params } = model;
  return (place, reader) => {
    const { layer, head } = place;
    const made = layerAttention(config, layer)!.config;
    const ownValues = (config.sharedKeyValues?.[layer] ?? layer) === layer && !config.valueNorm;
    if ("kvRank" in made || made.differential || !ownValues) return undefined;
    const numbers = residualStream(model, {
      tensors,
      positions: [reader.position],
      heads: true,
      numbersOf: place,
    });
    const prefix = `layers.${layer}.heads.${head}.numbers.`;
    const slopes = reader
      .read(reader.input(numbers))
      .flatMap(({ source, value }) =>
        source.name.startsWith(prefix) && !source.name.endsWith(".rest") ? [value] : [],
      );
    const D = slopes.length;
    const first = Math.floor((head * made.numKvHeads) / made.numHeads) * D;
    const { weight, bias } = params.layers[layer]!.attention.value;
    const isMatrix = () => isTensor(weight);
    check.each({ "params.value.weight": weight }, isMatrix, "a tensor", "load the model without `quantize`.");
    const { dtype, device } = tensors[`layers.${layer}.attentionInput`]!;
    const slope = tensor(slopes, { shape: [1, D], dtype: dtype as "float32", device });
    const map = matmul(slope, cast(slice(weight, 0, first, first + D), dtype)); // [1, C]
    const biasValue = bias && slopes.reduce((sum, x, d) => sum + x * Number(bias.data[first + d]), 0);
    const weights = tensors[`layers.${layer}.attention.weights`]!;
    // Read once: each look at the numbers of a device copies them.
    const seen = slice(weights, 1, head, head + 1);
    const weightOf = slice(seen, 2, reader.position, reader.position + 1).data;

    const rowAt = (position: number): RowReader => ({
      position,
      input: (stream) => stream.attentionInput(layer).parts,
      read(parts) {
        const rows = concat(
          parts.map(({ value }) => value),
          0,
        ); // [P, 1, C]
        const values = linear(rows, map).data;
        return weighted(
          parts.map((part, i) => [part, values[i]!]),
          position,
        );
      },
    });
    /** Parts at a key, times its weight. */
    const weighted = (parts: readonly (readonly [ResidualPart, number])[], position: number): Part[] => {
      const weight = weightOf[position]!;
      const all = parts.map(([part, value]) => ({ source: sourceOf(part), position, value: value * weight }));
      if (biasValue === undefined) return all;
      const source: PartSource = { name: `layers.${layer}.value.bias`, kind: "bias", layer };
      return [...all, { source, position, value: biasValue * weight }];
    };
    const parts: Part[] = [];
    const keys = Array.from(weightOf.keys()).filter((key) => weightOf[key] !== 0);
    for (let start = 0; start < keys.length; start += keysAtOnce) {
      const positions = keys.slice(start, start + keysAtOnce);
      device.scope(() => {
        const stream = residualStream(model, { tensors, positions, heads: true });
        const read = stream
          .attentionInput(layer)
          .parts.map((part) => [part, linear(part.value, map).data] as const);
        positions.forEach((key, i) => {
          const atKey = read.map(([part, values]) => [part, values[i]!] as const);
          parts.push(...weighted(atKey, key));
        });
      });
    }
    return { rowAt, parts };
  };
}

/** The sources of a feed-forward layer's part: what stands in its row, through frozen neurons. Undefined: it is not traced on. */
function feedForwardSources(
  model: LensModel,
  tensors: Readonly<Record<string, Tensor>>,
): (place: { readonly layer: number }, reader: RowReader) => Sources | undefined {
  return ({ layer }, reader) => {
    const { position } = reader;
    const frozen = frozenFeedForward(check, model, tensors, { layer, position });
    if (!frozen) return undefined;
    const prefix = `layers.${layer}.feedForward.from.`;
    const streamWith = (written: StreamOptions["written"]) =>
      residualStream(model, { tensors, positions: [position], heads: true, ...(written && { written }) });
    const row: RowReader = {
      position,
      input: (stream) => stream.feedForwardInput(layer),
      read(given) {
        const sources = frozen(given);
        const parts = sources.map((part, i) => ({ ...part, name: `${prefix}${i}` }));
        return reader
          .read(reader.input(streamWith({ layer, parts })))
          .filter(({ source }) => source.name.startsWith(prefix))
          .map(({ value }, i) => ({ source: sourceOf(sources[i]!), position, value }));
      },
    };
    return { rowAt: () => row, parts: row.read(row.input(streamWith(undefined))) };
  };
}

const check: Checks = /* @__PURE__ */ checks("scoreGraph");

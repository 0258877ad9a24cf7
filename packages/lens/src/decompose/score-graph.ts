import { checks, knownNames, type Checks } from "@qkv/core";
import {
  cast,
  grad,
  isTensor,
  linear,
  mul,
  onesLike,
  reshape,
  slice,
  sub,
  sum,
  tensor,
  type Tensor,
  type TypedArray,
} from "@qkv/tensor";
import { layerAttention } from "@qkv/transformer";
import { checkModel, type LensModel, type TokenInput } from "../lens-model.js";
import type { AblatedModel } from "../patching/ablated-model.js";
import { positionAxis } from "../patching/slices.js";
import { frozenFeedForward } from "./frozen-feed-forward.js";
import { gatedHeads, residualNames, sumParts } from "./residual-stream.js";
import { partSource, type PartKind, type PartSource } from "./residual-part.js";
import { scoreSides, type ScorePlace, type ScoreSide } from "./score-sides.js";
import {
  gradientNames,
  streamGradient,
  linearBackward,
  type RowGradient,
  type StreamGradient,
} from "./stream-gradient.js";

export type ScoreGraphOptions = {
  /**
   * Levels of the graph: 1 has the sources of the query and of the key, 2 also the sources of the heads and feed-forward layers
   * among them. At most 64 sources are expanded, the largest first. Default 2.
   */
  readonly depth?: number;
  /** Parts smaller than this fraction of the score's largest part are pooled into `others`, for each node. Default 0.05. */
  readonly threshold?: number;
  /** Traces only the contribution of one pair: names of a source of the query and of the key in `scoreParts`. Default: the score. */
  readonly pair?: { readonly query: string; readonly key: string };
};

/** A source of a score, or of another source. */
export type ScoreNode = Omit<PartSource, "kind"> & {
  /** Index in `nodes`. */
  readonly id: number;
  /** The node that reads this source. Absent: the score reads it. */
  readonly parent?: number;
  /** `others`: the sum of the parts below the threshold. */
  readonly kind: PartKind | "others";
  /** The side of the score that it contributes to. */
  readonly side: "query" | "key";
  /** Position of the row that it was written to, from 0. Absent for `others`. */
  readonly position?: number;
  /** Contribution to the score. */
  readonly value: number;
};

/** A tree of the sources of a score: each node's children are its own sources. */
export type ScoreGraph = {
  /** `scale · q · k` before softcap and biases, or the contribution of `pair`: the sum of each side's nodes without a parent. */
  readonly dot: number;
  /** Weight of the key after the softmax. */
  readonly weight: number;
  /** The values of a node's children sum to its own. */
  readonly nodes: readonly ScoreNode[];
};

/**
 * Traces the score of a query and a key back: to the sources of the query and of the key, from each head among them to the
 * sources at the positions that it attends to, and from each feed-forward layer to the sources of its row. A path through the
 * graph is an explanation: an earlier head moved the embedding of a token to the position that this head attends to.
 *
 * The dot product is linear in the query and in the key, so it is split twice: the parts of each side sum to it. Attention
 * weights and the scales of norms are frozen; the output of a head is then linear in its values, and the children of a node sum
 * to it, to 1e-10 in float64. A feed-forward layer is linearized: each neuron's gate, or the ratio of its activation to its
 * pre-activation, is frozen (the identity rule of AttnLRP). Its children sum to the node too, but they explain this run only:
 * another input has other gates and ratios. Parts below the threshold are pooled in a node `others`. Heads of latent and
 * differential attention, heads that read keys and values of another layer, and experts are leaves.
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
  check.options(options, optionNames);
  checkModel(check, model);
  return model.params.norm.weight.device.scope(() => buildScoreGraph(model, input, place, options));
}

type GraphOptions = {
  /** True if attention applies no mask other than those of the model's layers. Default false. */
  readonly layerMasksOnly?: boolean;
  /** Called before each source is expanded. It may throw. */
  readonly onSource?: () => void;
};

const optionNames = ["depth", "threshold", "pair"] as const;

/** The most sources that one graph expands. */
const maxTraced = 64;

/** Builds the graph of a score in the current device scope. */
export function buildScoreGraph(
  inputModel: AblatedModel,
  input: TokenInput,
  place: ScorePlace,
  options?: ScoreGraphOptions,
  { layerMasksOnly = false, onSource }: GraphOptions = {},
): ScoreGraph {
  const { depth = 2, threshold = 0.05, pair } = check.options(options, optionNames);
  check.whole({ depth }, { min: 1, unit: "steps" });
  check.finite({ threshold }, { min: 0, max: 1 });
  const isHead = (name: string) => /\.heads\./.test(name);
  const tracesHeads = depth > 2 || (depth === 2 && (!pair || isHead(pair.query) || isHead(pair.key)));
  const names = [
    ...(depth > 1 ? [...residualNames, "feedForwardInput", "feedForwardHidden"] : []),
    ...(tracesHeads ? ["weights"] : []),
  ];
  // A head's sources are at any position, so their tensors are traced with all rows.
  const whole = !tracesHeads ? [] : depth === 2 ? gradientNames(inputModel) : names;
  const model = depth === 1 ? inputModel : withFloatOutputs(inputModel, place.layer);
  const scoreTrace = scoreSides(check, model, input, place, { rows: names, whole, layerMasksOnly });
  const { query, key, scale, numbers } = scoreTrace;
  const run: Run = {
    model,
    whole: scoreTrace.whole,
    rowAt(name, position) {
      const axis = positionAxis(name);
      const [x, i] =
        depth > 2
          ? [scoreTrace.whole[name], position]
          : [scoreTrace.rows[name], position === place.query ? 0 : 1];
      return x && slice(x, axis, i, i + 1);
    },
  };
  const sides = { query, key };
  /** The query or key, or its part from the source in `pair`, `[1, D]`. */
  const sideVector = (side: Side) => {
    const { vectors, sources } = sides[side].vectors(sides[side].parts);
    if (!pair) return sum(vectors, { axis: 0, keepDims: true });
    const names = sources.map(({ name }) => name);
    if (!names.includes(pair[side]))
      check.refuse({
        argument: `pair.${side}`,
        received: pair[side],
        expected: `one of ${knownNames(pair[side], names, "`scoreParts`")}`,
        fix: "give a source as `scoreParts` names it.",
      });
    const i = names.indexOf(pair[side]);
    return slice(vectors, 0, i, i + 1);
  };
  const sideVectors = { query: sideVector("query"), key: sideVector("key") };
  const sourcesOnSide = (side: Side): Sources & { readonly parts: readonly Part[] } => {
    const other = sideVectors[side === "query" ? "key" : "query"];
    const { position, parts, vectors } = sides[side];
    const projected = vectors(parts);
    const values = mul(linear(projected.vectors, other), scale).data;
    const contributions = projected.sources.map((source, i) => ({
      source: partSource(source),
      position,
      value: values[i]!,
    }));
    return {
      parts: pair ? contributions.filter(({ source }) => source.name === pair[side]) : contributions,
      outputGradient: lazyOutputGradients(
        () => {
          const { layer } = sides[side];
          const stream = rowStreamGradient(run, position);
          stream.attentionInput(layer, singleRowGradient(mul(rowGradient(sides[side], other), scale)));
          return stream;
        },
        () => 0,
      ),
    };
  };
  const sideSources = { query: sourcesOnSide("query"), key: sourcesOnSide("key") };
  const magnitude = ({ value }: { readonly value: number }) => Math.abs(value);
  const minMagnitude =
    threshold *
    Math.max(...[sideSources.query, sideSources.key].flatMap(({ parts }) => parts.map(magnitude)));
  const nodes: ScoreNode[] = [];
  const { device } = run.model.params.norm.weight;
  const sourcesByKind = { head: headSources, feedForward: feedForwardSources };

  /** Nodes that can be expanded. */
  const frontier: (WrittenSource & {
    readonly id: number;
    readonly remainingSteps: number;
    readonly side: Side;
  })[] = [];
  const addNodes = (
    { parts, outputGradient }: Sources,
    side: Side,
    remainingSteps: number,
    parent?: number,
  ): void => {
    const parentField = parent === undefined ? {} : { parent };
    const large: Part[] = [];
    let [others, numOthers] = [0, 0];
    for (const part of parts) {
      if (magnitude(part) >= minMagnitude) large.push(part);
      else [others, numOthers] = [others + part.value, numOthers + 1];
    }
    large.sort((a, b) => magnitude(b) - magnitude(a));
    for (const { source, position, value } of large) {
      const id = nodes.length;
      nodes.push({ ...source, ...parentField, id, side, position, value });
      const { kind, layer, head } = source;
      // An ablated part has no sources.
      if (remainingSteps <= 1 || value === 0 || layer === undefined) continue;
      if (kind !== "head" && kind !== "feedForward") continue;
      const gradient = outputGradient(kind, layer, position);
      frontier.push({
        ...{ kind, layer, head: head ?? 0, position, gradient },
        id,
        remainingSteps: remainingSteps - 1,
        side,
        value,
      });
    }
    if (numOthers > 0)
      nodes.push({ id: nodes.length, ...parentField, name: "others", kind: "others", side, value: others });
  };
  addNodes(sideSources.query, "query", depth);
  addNodes(sideSources.key, "key", depth);
  for (let traced = 0; traced < maxTraced && frontier.length > 0; traced++) {
    onSource?.();
    const next = frontier.reduce(
      (best, one, i) => (magnitude(one) > magnitude(frontier[best]!) ? i : best),
      0,
    );
    const [{ id, remainingSteps, side, ...written }] = frontier.splice(next, 1) as [(typeof frontier)[0]];
    device.scope(() => {
      const sources = sourcesByKind[written.kind](run, written);
      if (sources) addNodes(sources, side, remainingSteps, id);
    });
  }
  const dot = pair ? sideSources.query.parts[0]!.value : numbers.dot;
  return { dot, weight: numbers.weight, nodes };
}

type Side = "query" | "key";

/** The run of a graph. */
type Run = {
  readonly model: AblatedModel;
  /** Tensors that were traced with all rows, by full name. */
  readonly whole: Readonly<Record<string, Tensor>>;
  /** The row of a tensor at a position. Undefined: the model has no tensor with this full name. */
  rowAt(name: string, position: number): Tensor | undefined;
};

/** Converts 16-bit output projections of the layers before `below` once, as many sources read them. */
function withFloatOutputs(model: AblatedModel, below: number): AblatedModel {
  const { dtype } = model.params.norm.weight;
  const layers = model.params.layers.map((layer, i) => {
    const { attention } = layer;
    const weight = attention?.output?.weight;
    if (i >= below || !isTensor(weight) || weight.dtype === dtype) return layer;
    const output = { ...attention.output, weight: cast(weight, dtype) };
    return { ...layer, attention: { ...attention, output } };
  });
  return { ...model, params: { ...model.params, layers } };
}

/** Backward pass from the row of one position. */
const rowStreamGradient = (run: Run, position: number): StreamGradient =>
  streamGradient(run.model, (name) => run.rowAt(name, position)!, position);

/** Contribution to the score of a source that was written to the row of a position. */
type Part = { readonly source: PartSource; readonly position: number; readonly value: number };

/** Contributions to the score, and its gradient with respect to the output of a layer at a position. */
type Sources = {
  readonly parts: Iterable<Part>;
  outputGradient(kind: TracedKind, layer: number, position: number): OutputGradient;
};

/** Gradient of the score with respect to an output: `[C]` numbers, times a factor. */
type OutputGradient = { readonly numbers: TypedArray; readonly factor: number };

type TracedKind = "head" | "feedForward";

/** A source that can be expanded, and the gradient of the score with respect to its output. */
type WrittenSource = {
  readonly kind: TracedKind;
  readonly layer: number;
  readonly head: number;
  readonly position: number;
  readonly gradient: OutputGradient;
  /** Contribution to the score. */
  readonly value: number;
};

/** Gradient with respect to an input row of attention, `[1, C]`, with the scales of query and key norms frozen. */
function rowGradient({ parts, vectors }: ScoreSide, other: Tensor): Tensor {
  const row = sumParts(parts);
  const part = (kind: PartKind, value: Tensor) => ({ name: "row", kind, value });
  // The two parts always sum to the row, so frozen scales, which depend on the sum, have no gradient.
  const dot = grad((x: Tensor) => {
    const both = vectors([part("embedding", x), part("residual", sub(row, x))]).vectors;
    return sum(mul(slice(both, 0, 0, 1), other));
  });
  const slope = dot(row);
  return reshape(slope, [1, slope.shape.at(-1)!]);
}

/** A gradient `[1, C]` with respect to one row. */
const singleRowGradient = (vector: Tensor): RowGradient => {
  const { dtype, device } = vector;
  return { vector, factors: tensor([1], { shape: [1, 1, 1], dtype: dtype as "float32", device }) };
};

/** Gradients with respect to outputs; `follow` runs the backward pass at the first call. */
function lazyOutputGradients(
  follow: () => StreamGradient,
  rowIndex: (position: number) => number,
): Sources["outputGradient"] {
  let stream: StreamGradient | undefined;
  // Sources of one layer share their vector.
  const copies = new Map<RowGradient, { readonly numbers: TypedArray; readonly factors: TypedArray }>();
  return (kind, layer, position) => {
    stream ??= follow();
    const gradient = stream.output(kind, layer);
    const copied = copies.get(gradient);
    const { numbers, factors } = copied ?? {
      numbers: gradient.vector.data.slice(),
      factors: gradient.factors.data.slice(),
    };
    if (!copied) copies.set(gradient, { numbers, factors });
    return { numbers, factor: Number(factors[rowIndex(position)]) };
  };
}

/** Sources of a head's contribution: those in the rows that it attends to, through its values. Undefined: it cannot be expanded. */
function headSources(
  { model: { config, params }, model, whole, rowAt }: Run,
  { layer, head, position, gradient }: WrittenSource,
): Sources | undefined {
  const at = `layers.${layer}`;
  const attentionLayer = layerAttention(config, layer)!;
  const ownValues = (config.sharedKeyValues?.[layer] ?? layer) === layer && !config.valueNorm;
  if ("kvRank" in attentionLayer.config || attentionLayer.config.differential || !ownValues) return undefined;
  const attentionParams = params.layers[layer]!.attention;
  const { weight, bias } = attentionParams.value;
  const isMatrix = () => isTensor(weight);
  check.each({ "params.value.weight": weight }, isMatrix, "a tensor", "load the model without `quantize`.");

  const heads = rowAt(`${at}.attention.heads`, position)!;
  const gates = gatedHeads(attentionLayer, attentionParams, onesLike(heads), () =>
    rowAt(`${at}.attentionInput`, position)!,
  );
  const [, H, , D] = heads.shape as [number, number, number, number];
  const headGradients = mul(
    reshape(linearBackward(gradientRow(gradient, heads), attentionParams.output.weight), [H, D]),
    reshape(gates, [H, D]),
  );
  const valueGradient = slice(headGradients, 0, head, head + 1); // [1, D]
  const start = Math.floor((head * attentionLayer.config.numKvHeads) / attentionLayer.config.numHeads) * D;
  const inputGradient = linearBackward(valueGradient, slice(weight, 0, start, start + D)); // [1, C]
  const biasValue =
    bias && Number(linear(valueGradient, reshape(slice(bias, 0, start, start + D), [1, D])).data[0]);
  // Read once: each read of `data` copies it from the device.
  const headWeights = slice(rowAt(`${at}.attention.weights`, position)!, 1, head, head + 1); // [1, 1, 1, T]
  const weights = headWeights.data;
  const factors = reshape(headWeights, [1, weights.length, 1]);
  const stream = streamGradient(model, (name) => whole[name]!);
  const sources = stream.attentionInput(layer, { vector: inputGradient, factors });
  function* partsByKey(): Iterable<Part> {
    for (const [position, weight] of weights.entries()) {
      if (weight === 0) continue;
      for (const { source, values } of sources) yield { source, position, value: values[position]! };
      if (biasValue === undefined) continue;
      const source: PartSource = { name: `${at}.value.bias`, kind: "bias", layer };
      yield { source, position, value: biasValue * Number(weight) };
    }
  }
  return {
    parts: partsByKey(),
    outputGradient: lazyOutputGradients(
      () => stream,
      (key) => key,
    ),
  };
}

/** Sources of a feed-forward layer's contribution: those in its row, through frozen neurons. Undefined: it cannot be expanded. */
function feedForwardSources(run: Run, { layer, position, gradient }: WrittenSource): Sources | undefined {
  const row = (name: string) => run.rowAt(`layers.${layer}.${name}`, position);
  const rows = { input: row("feedForwardInput"), hidden: row("feedForwardHidden") };
  const vector = gradientRow(gradient, run.rowAt("embeddings", position)!);
  const frozen = frozenFeedForward(check, run.model, layer, rows, vector);
  if (!frozen) return undefined;
  const stream = rowStreamGradient(run, position);
  const sources = stream.feedForwardInput(layer, singleRowGradient(frozen.input));
  const parts = [
    ...sources.map(({ source, values }) => ({ source, position, value: values[0]! })),
    ...frozen.biases.map((bias) => ({ ...bias, position })),
  ];
  return {
    parts,
    outputGradient: lazyOutputGradients(
      () => stream,
      () => 0,
    ),
  };
}

/** The gradient as a tensor `[1, C]`, with the type and device of another tensor. */
function gradientRow({ numbers, factor }: OutputGradient, { dtype, device }: Tensor): Tensor {
  const scaled = Array.from(numbers, (x) => Number(x) * factor);
  return tensor(scaled, { shape: [1, scaled.length], dtype: dtype as "float32", device });
}

const check: Checks = /* @__PURE__ */ checks("scoreGraph");

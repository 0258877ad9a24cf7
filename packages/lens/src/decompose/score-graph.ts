import { checks, type Checks } from "@qkv/core";
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
import { headsBehindGate, residualNames, sumOfParts } from "./residual-stream.js";
import { sourceOf, type PartKind, type PartSource } from "./residual-part.js";
import { scoreSides, type ScorePlace, type ScoreSide } from "./score-sides.js";
import {
  gradientNames,
  streamGradient,
  timesMap,
  type RowGradient,
  type StreamGradient,
} from "./stream-gradient.js";

export type ScoreGraphOptions = {
  /**
   * Steps from the score back: 1 is the sources of the query and of the key, 2 what the heads and feed-forward layers among them read.
   * 64 sources are traced on at most, those with the largest parts first. Default 2.
   */
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
  check.options(options, optionNames);
  checkModel(check, model);
  return model.params.norm.weight.device.scope(() => graphOfScore(model, input, place, options));
}

type GraphWatch = {
  /** True for a model whose attention has no mask but that of its layers. */
  readonly ownMask?: boolean;
  /** Called before each source that is traced on. It may throw. */
  readonly onSource?: () => void;
};

const optionNames = ["depth", "threshold", "pair"] as const;

/** Sources that are traced on in one graph, at most. */
const mostTraced = 64;

/** The graph of a score. */
export function graphOfScore(
  given: AblatedModel,
  input: TokenInput,
  place: ScorePlace,
  options?: ScoreGraphOptions,
  { ownMask = false, onSource }: GraphWatch = {},
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
  // The sources of a head are at any position, and theirs again.
  const whole = !tracesHeads ? [] : depth === 2 ? gradientNames(given) : names;
  const model = depth === 1 ? given : withFloatOutputs(given, place.layer);
  const scored = scoreSides(check, model, input, place, { rows: names, whole, ownMask });
  const { query, key, scale, numbers } = scored;
  const run: Run = {
    model,
    whole: scored.whole,
    rowOf(name, position) {
      const axis = positionAxis(name);
      const [x, i] =
        depth > 2 ? [scored.whole[name], position] : [scored.rows[name], position === place.query ? 0 : 1];
      return x && slice(x, axis, i, i + 1);
    },
  };
  const sides = { query, key };
  /** The vector of a side, or of its source in the pair, `[1, D]`. */
  const total = (side: Side) => {
    const { vectors, sources } = sides[side].vectors(sides[side].parts);
    if (!pair) return sum(vectors, { axis: 0, keepDims: true });
    const names = sources.map(({ name }) => name);
    check.oneOf({ [`pair.${side}`]: pair[side] }, names, "give a source as `scoreParts` names it.");
    const i = names.indexOf(pair[side]);
    return slice(vectors, 0, i, i + 1);
  };
  const totals = { query: total("query"), key: total("key") };
  const first = (side: Side): Sources & { readonly parts: readonly Part[] } => {
    const other = totals[side === "query" ? "key" : "query"];
    const { position, parts, vectors } = sides[side];
    const own = vectors(parts);
    const values = mul(linear(own.vectors, other), scale).data;
    const all = own.sources.map((source, i) => ({ source: sourceOf(source), position, value: values[i]! }));
    return {
      parts: pair ? all.filter(({ source }) => source.name === pair[side]) : all,
      gradientOf: gradientsOf(
        () => {
          const { layer } = sides[side];
          const stream = streamOfRow(run, position);
          stream.attentionInput(layer, ofRow(mul(rowGradient(sides[side], other), scale)));
          return stream;
        },
        () => 0,
      ),
    };
  };
  const firsts = { query: first("query"), key: first("key") };
  const size = ({ value }: { readonly value: number }) => Math.abs(value);
  const least = threshold * Math.max(...[firsts.query, firsts.key].flatMap(({ parts }) => parts.map(size)));
  const nodes: ScoreNode[] = [];
  const { device } = run.model.params.norm.weight;
  const sourcesOf = { head: headSources, feedForward: feedForwardSources };

  /** Nodes whose sources may be traced. */
  const open: (WrittenSource & { readonly id: number; readonly left: number; readonly side: Side })[] = [];
  const add = ({ parts, gradientOf }: Sources, side: Side, left: number, parent?: number): void => {
    const above = parent === undefined ? {} : { parent };
    const large: Part[] = [];
    let [others, numOthers] = [0, 0];
    for (const part of parts) {
      if (size(part) >= least) large.push(part);
      else [others, numOthers] = [others + part.value, numOthers + 1];
    }
    large.sort((a, b) => size(b) - size(a));
    for (const { source, position, value } of large) {
      const id = nodes.length;
      nodes.push({ ...source, ...above, id, side, position, value });
      const { kind, layer, head } = source;
      // Parts that were ablated have no sources.
      if (left <= 1 || value === 0 || layer === undefined) continue;
      if (kind !== "head" && kind !== "feedForward") continue;
      const gradient = gradientOf(kind, layer, position);
      open.push({ ...{ kind, layer, head: head ?? 0, position, gradient }, id, left: left - 1, side, value });
    }
    if (numOthers > 0)
      nodes.push({ id: nodes.length, ...above, name: "others", kind: "others", side, value: others });
  };
  add(firsts.query, "query", depth);
  add(firsts.key, "key", depth);
  for (let traced = 0; traced < mostTraced && open.length > 0; traced++) {
    onSource?.();
    const next = open.reduce((best, one, i) => (size(one) > size(open[best]!) ? i : best), 0);
    const [{ id, left, side, ...written }] = open.splice(next, 1) as [(typeof open)[0]];
    device.scope(() => {
      const sources = sourcesOf[written.kind](run, written);
      if (sources) add(sources, side, left, id);
    });
  }
  const dot = pair ? firsts.query.parts[0]!.value : numbers.dot;
  return { dot, weight: numbers.weight, nodes };
}

type Side = "query" | "key";

/** A run that a graph is traced through. */
type Run = {
  readonly model: AblatedModel;
  /** Tensors with all rows, by full name. */
  readonly whole: Readonly<Record<string, Tensor>>;
  /** The row of a position, of a tensor by its full name. Undefined: the model has no such tensor. */
  rowOf(name: string, position: number): Tensor | undefined;
};

/** A model whose output maps of the layers below one are floats: each is read once for many sources. */
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

/** The way back from one row alone. */
const streamOfRow = (run: Run, position: number): StreamGradient =>
  streamGradient(run.model, (name) => run.rowOf(name, position)!, position);

/** A part of the score, written by a source to the row of a position. */
type Part = { readonly source: PartSource; readonly position: number; readonly value: number };

/** Parts of the score, and its gradient with respect to what a layer wrote to the row of a position. */
type Sources = {
  readonly parts: Iterable<Part>;
  gradientOf(kind: TracedKind, layer: number, position: number): OutputGradient;
};

/** The gradient of the score with respect to an output: C numbers, times a factor. */
type OutputGradient = { readonly numbers: TypedArray; readonly factor: number };

type TracedKind = "head" | "feedForward";

/** A source that can be traced on, and the gradient of the score with respect to its output. */
type WrittenSource = {
  readonly kind: TracedKind;
  readonly layer: number;
  readonly head: number;
  readonly position: number;
  readonly gradient: OutputGradient;
  /** Its part of the score. */
  readonly value: number;
};

/** The gradient with respect to a row that attention reads, `[1, C]`, with the scales of norms of queries and keys frozen. */
function rowGradient({ parts, vectors }: ScoreSide, other: Tensor): Tensor {
  const row = sumOfParts(parts);
  const part = (kind: PartKind, value: Tensor) => ({ name: "row", kind, value });
  // Both parts sum to the row, so that what reads their sum has no gradient.
  const dot = grad((x: Tensor) => {
    const both = vectors([part("embedding", x), part("residual", sub(row, x))]).vectors;
    return sum(mul(slice(both, 0, 0, 1), other));
  });
  const slope = dot(row);
  return reshape(slope, [1, slope.shape.at(-1)!]);
}

/** The gradient of one row. */
const ofRow = (vector: Tensor): RowGradient => {
  const { dtype, device } = vector;
  return { vector, factors: tensor([1], { shape: [1, 1, 1], dtype: dtype as "float32", device }) };
};

/** Gradients with respect to outputs, of a stream that is followed back once one is asked for. */
function gradientsOf(
  follow: () => StreamGradient,
  rowOf: (position: number) => number,
): Sources["gradientOf"] {
  let stream: StreamGradient | undefined;
  // Sources of one layer share their vector.
  const read = new Map<RowGradient, { readonly numbers: TypedArray; readonly factors: TypedArray }>();
  return (kind, layer, position) => {
    stream ??= follow();
    const gradient = stream.output(kind, layer);
    const known = read.get(gradient);
    const { numbers, factors } = known ?? {
      numbers: gradient.vector.data.slice(),
      factors: gradient.factors.data.slice(),
    };
    if (!known) read.set(gradient, { numbers, factors });
    return { numbers, factor: Number(factors[rowOf(position)]) };
  };
}

/** The sources of a head's part: what stands in the rows that it attends to, through its values. Undefined: it is not traced on. */
function headSources(
  { model: { config, params }, model, whole, rowOf }: Run,
  { layer, head, position, gradient }: WrittenSource,
): Sources | undefined {
  const at = `layers.${layer}`;
  const made = layerAttention(config, layer)!;
  const ownValues = (config.sharedKeyValues?.[layer] ?? layer) === layer && !config.valueNorm;
  if ("kvRank" in made.config || made.config.differential || !ownValues) return undefined;
  const own = params.layers[layer]!.attention;
  const { weight, bias } = own.value;
  const isMatrix = () => isTensor(weight);
  check.each({ "params.value.weight": weight }, isMatrix, "a tensor", "load the model without `quantize`.");

  const heads = rowOf(`${at}.attention.heads`, position)!;
  const gates = headsBehindGate(made, own, onesLike(heads), () => rowOf(`${at}.attentionInput`, position)!);
  const [, H, , D] = heads.shape as [number, number, number, number];
  const ofHeads = mul(
    reshape(timesMap(asRow(gradient, heads), own.output.weight), [H, D]),
    reshape(gates, [H, D]),
  );
  const ofValue = slice(ofHeads, 0, head, head + 1); // [1, D]
  const start = Math.floor((head * made.config.numKvHeads) / made.config.numHeads) * D;
  const ofRows = timesMap(ofValue, slice(weight, 0, start, start + D)); // [1, C]
  const biasValue =
    bias && Number(linear(ofValue, reshape(slice(bias, 0, start, start + D), [1, D])).data[0]);
  // Read once: each look at the numbers of a device copies them.
  const seen = slice(rowOf(`${at}.attention.weights`, position)!, 1, head, head + 1); // [1, 1, 1, T]
  const weights = seen.data;
  const factors = reshape(seen, [1, weights.length, 1]);
  const stream = streamGradient(model, (name) => whole[name]!);
  const sources = stream.attentionInput(layer, { vector: ofRows, factors });
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
    gradientOf: gradientsOf(
      () => stream,
      (key) => key,
    ),
  };
}

/** The sources of a feed-forward layer's part: what stands in its row, through frozen neurons. Undefined: it is not traced on. */
function feedForwardSources(run: Run, { layer, position, gradient }: WrittenSource): Sources | undefined {
  const row = (name: string) => run.rowOf(`layers.${layer}.${name}`, position);
  const rows = { input: row("feedForwardInput"), hidden: row("feedForwardHidden") };
  const vector = asRow(gradient, run.rowOf("embeddings", position)!);
  const frozen = frozenFeedForward(check, run.model, layer, rows, vector);
  if (!frozen) return undefined;
  const stream = streamOfRow(run, position);
  const sources = stream.feedForwardInput(layer, ofRow(frozen.input));
  const parts = [
    ...sources.map(({ source, values }) => ({ source, position, value: values[0]! })),
    ...frozen.biases.map((bias) => ({ ...bias, position })),
  ];
  return {
    parts,
    gradientOf: gradientsOf(
      () => stream,
      () => 0,
    ),
  };
}

/** A gradient as a row, `[1, C]`. */
function asRow({ numbers, factor }: OutputGradient, { dtype, device }: Tensor): Tensor {
  const scaled = Array.from(numbers, (x) => Number(x) * factor);
  return tensor(scaled, { shape: [1, scaled.length], dtype: dtype as "float32", device });
}

const check: Checks = /* @__PURE__ */ checks("scoreGraph");

import { checks } from "@qkv/core";
import type { FileSource } from "@qkv/core/byte-source";
import { findComposed, skippedNode, nodeName, operatorOf, type SkippedNode } from "./composed-attention.js";
import { decomposeGroupQueryAttention } from "./fused/group-query-attention.js";
import { decomposeMultiHeadAttention } from "./fused/multi-head-attention.js";
import { nodeComposer, shapeOf } from "./fused/node-composer.js";
import type { DecomposeNode } from "./fused/decomposition.js";
import { decomposePackedAttention } from "./fused/packed-attention.js";
import { decomposeStandardAttention } from "./fused/standard-attention.js";
import { changedFile, openOnnxFile, type FileNode, type OnnxFile } from "./onnx-file.js";
import { onnxGraph, type OnnxGraph } from "./onnx-graph.js";
import { elementTypes, type AxisLength, type OnnxNode } from "./read-messages.js";
import { changedNodeBytes, outputBytes } from "./write-messages.js";

/** Attention weights that a graph gives. */
export type AttentionMap = {
  /** Name of the graph's output. */
  name: string;
  /** Name of the node that computes them: a softmax, or a fused operator. */
  node: string;
  /** The operator, with its domain where that is not ONNX's own: `Softmax`, `com.microsoft.GroupQueryAttention`. */
  operator: string;
  /**
   * `exposed`: a value inside of the graph became an output. `requested`: an attribute makes the operator return them.
   * `decomposed`: the operator was replaced by operators that it is composed of. `existing`: they were an output before.
   */
  how: "exposed" | "requested" | "decomposed" | "existing";
  /**
   * `[B, H, T, S]`: lengths, or names of those that are free; `?` where nothing is known. Some graphs have one axis for batch
   * and heads. Undefined where not even the axes are known.
   */
  shape: (number | string)[] | undefined;
};

/** Bytes whose memory is not shared, in words that TypeScript before 5.7 reads too. */
type OwnBytes = ReturnType<typeof Uint8Array.of>;

/** A file with its attention weights as outputs. */
export type OnnxWithMaps = {
  /** The maps, in the order of the graph. */
  maps: AttentionMap[];
  /** Nodes that look like attention and stay as they are, each with the reason. */
  skipped: SkippedNode[];
  /** Names of the files with weights that have to lie beside the file, as they lay beside the one that was read. */
  externalData: string[];
  /** Size of the file. Unit: bytes. */
  size: number;
  /** The file, in pieces of a few MiB, in order. */
  chunks(): AsyncGenerator<Uint8Array, void, undefined>;
  /** The file, whole. */
  bytes(): Promise<OwnBytes>;
};

/** Options of `addAttentionMaps`. */
export type AttentionMapOptions = {
  /** Names outputs: `attentions` gives `attentions.0`, `attentions.1`. Default `"attentions"`. */
  name?: string;
  /**
   * Fused operators that are replaced by operators that they are composed of: those that cannot return their weights, or `all`,
   * also ONNX's own `Attention`, which can. Default `"needed"`.
   */
  decompose?: "needed" | "all";
  signal?: AbortSignal;
};

/**
 * Adds the attention weights of an ONNX graph to its outputs, so that an engine gives the maps of a model that was
 * exported without them.
 *
 * Attention is found where it is composed of operators (a product of queries and keys, a softmax, a product with values),
 * in ONNX's own `Attention`, and in Microsoft's `Attention`, `MultiHeadAttention` and `GroupQueryAttention`. Those of
 * Microsoft are decomposed: scale, masks, past and present, window, softcap, sinks and rotary embeddings are
 * computed as the operators do, in float32. Everything else in the file stays as it is, byte by byte. Graphs with operators
 * before version 12 are only read where nothing has to be decomposed.
 *
 * Weights are not read but when the new file is: a few MiB are in memory at a time. Files of weights beside the model stay
 * the same files, under the same names.
 *
 * @param source - The model: its bytes, a Blob or File, a URL, in Node a path.
 * @throws {ArgumentError} If there is no such file, or an option is wrong. {FormatError} If it is no ONNX model.
 *
 * @example
 * ```ts
 * import { decoder } from "@qkv/transformer";
 * import { exportModel, memoryFolder } from "@qkv/transformer/export";
 * import { addAttentionMaps } from "@qkv/lens/onnx";
 *
 * const config = {
 *   vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 2, numHeads: 2, numKvHeads: 1,
 *   contextLength: 32, normEps: 1e-5, stopIds: [0],
 * };
 * const out = memoryFolder();
 * await exportModel({ config, params: decoder(config).init(1) }, { to: "onnx", out });
 * const file = out.files.find(({ name }) => name === "onnx/model.onnx")!;
 *
 * const { maps, bytes } = await addAttentionMaps(file);
 * maps.map(({ name, how }) => `${name} ${how}`); // => ["attentions.0 requested", "attentions.1 requested"]
 * // const session = await InferenceSession.create(await bytes());
 * (await bytes()).length > file.size; // => true
 * ```
 */
export async function addAttentionMaps(
  source: FileSource,
  options?: AttentionMapOptions,
): Promise<OnnxWithMaps> {
  const check = checks("addAttentionMaps");
  const {
    name = "attentions",
    decompose = "needed",
    signal,
  } = check.options(options, ["name", "decompose", "signal"]);
  check.type({ name }, "string");
  check.oneOf({ decompose }, ["needed", "all"]);
  const model = await openOnnxFile(source, checks("addAttentionMaps", { argument: "source" }), signal);
  const graph = onnxGraph({
    ...{ nodes: model.nodes, initializers: model.initializers, opset: model.opset ?? 0 },
    values: [...model.inputs, ...model.outputs, ...model.values],
    outputs: model.outputs.map((output) => output.name),
  });
  const changes = { replaced: new Map<FileNode, readonly Uint8Array[]>(), nodes: [], outputs: [] };
  const mapping: Mapping = { model, graph, name, changes, maps: [], skipped: [] };
  const composed = findComposed(graph);
  mapping.skipped.push(...composed.skipped);
  const weightsOf = new Map(composed.found.map(({ node, weights }) => [node, weights]));
  const functions = new Set(model.functions.map((each) => each.name));
  for (const node of model.nodes) {
    mapping.skipped.push(...innerAttention(node, graph));
    const weights = weightsOf.get(node);
    const operator = operatorOf(node);
    if (weights !== undefined) addComposed(mapping, node, weights);
    else if (operator === "Attention" && (decompose === "needed" || givesWeights(node)))
      await addRequested(mapping, node);
    else if (operator in fusedOperators) addDecomposed(mapping, node, fusedOperators[operator]!);
    else if (isAttention(node) && !functions.has(node.type))
      mapping.skipped.push(skippedNode(node, "this operator is not known"));
  }
  for (const { name: inner, nodes } of model.functions) {
    const reason = `it is inside the function ${inner}, whose values are no outputs of the graph`;
    mapping.skipped.push(...attentionIn({ nodes, initializers: [], values: [], opset: graph.opset }, reason));
  }
  return result(mapping);
}

/** A file, and what is added to it. */
type Mapping = {
  readonly model: OnnxFile;
  readonly graph: OnnxGraph;
  /** First part of the names of outputs. */
  readonly name: string;
  readonly changes: {
    replaced: Map<FileNode, readonly Uint8Array[]>;
    nodes: Uint8Array[];
    outputs: Uint8Array[];
  };
  readonly maps: AttentionMap[];
  readonly skipped: SkippedNode[];
};

type Shape = readonly AxisLength[] | undefined;

/** Fused operators: functions that decompose them, or the reason for which there is none. */
const fusedOperators: Readonly<Record<string, DecomposeNode | string>> = {
  Attention: decomposeStandardAttention,
  "com.microsoft.Attention": decomposePackedAttention,
  "com.microsoft.MultiHeadAttention": decomposeMultiHeadAttention,
  "com.microsoft.GroupQueryAttention": decomposeGroupQueryAttention,
  ...Object.fromEntries(
    [
      ...["DecoderAttention", "DecoderMaskedMultiHeadAttention", "DecoderMaskedSelfAttention"],
      ...["LongformerAttention", "PackedAttention", "PackedMultiHeadAttention", "PagedAttention"],
      ...["QAttention", "QOrderedAttention", "SparseAttention"],
    ].map((type) => [`com.microsoft.${type}`, "this operator is not supported"]),
  ),
  LinearAttention: "it has no softmax, and so no weights",
  "com.microsoft.LinearAttention": "it has no softmax, and so no weights",
};

/** True for operators of attention by their name, also those of domains that are not known here. */
const isAttention = ({ type }: OnnxNode): boolean => /attention/i.test(type);

/** The name of the next output. */
function nextName({ graph, name, maps }: Mapping): string {
  let next = `${name}.${maps.length}`;
  while (graph.has(next)) next += "_";
  return next;
}

function list(
  { maps }: Mapping,
  node: OnnxNode,
  map: Pick<AttentionMap, "name" | "how">,
  shape: Shape,
): void {
  const lengths = shape?.map((length) => length ?? "?");
  maps.push({ ...map, node: nodeName(node), operator: operatorOf(node), shape: lengths });
}

/** Names the weights of attention that is composed of operators. */
function addComposed(mapping: Mapping, node: FileNode, weights: string): void {
  const { graph } = mapping;
  const shape = graph.shape(weights);
  const existing = existingOutput(graph, weights);
  if (existing !== undefined)
    list(mapping, node, { name: existing, how: "existing" }, graph.shape(existing) ?? shape);
  else
    addOutput(mapping, node, {
      value: weights,
      how: "exposed",
      shape,
      elementType: graph.elementType(weights),
    });
}

/** The output of the graph that gives a value already. */
function existingOutput(graph: OnnxGraph, value: string): string | undefined {
  const copies = graph
    .consumers(value)
    .filter(({ node }) => node.type === "Identity" || node.type === "Reshape");
  return [value, ...copies.map(({ node }) => node.outputs[0]!)].find((name) => graph.outputs.has(name));
}

/** The attribute of ONNX's own `Attention` that says which scores it gives, and its value for weights. */
const asking = ["qk_matmul_output_mode", 3] as const;

const givesWeights = ({ outputs, attributes }: OnnxNode): boolean =>
  Boolean(outputs[3]) && attributes.get(asking[0])?.integer === asking[1];

/** Asks ONNX's own `Attention` for its weights. One that gives its scores stands beside one that gives the weights. */
async function addRequested(mapping: Mapping, node: FileNode): Promise<void> {
  const { model, graph, changes } = mapping;
  const scores = node.outputs[3];
  const shape = mapShape(graph, node);
  if (scores && givesWeights(node)) {
    if (graph.outputs.has(scores)) list(mapping, node, { name: scores, how: "existing" }, shape);
    else
      addOutput(mapping, node, {
        value: scores,
        how: "exposed",
        shape,
        elementType: graph.elementType(node.inputs[0]!),
      });
    return;
  }
  const name = nextName(mapping);
  const bytes = await model.file.read(node.field.valueStart, node.field.end);
  const others = [0, 1, 2].map(
    (i) => (node.outputs[i] ?? "") && (scores ? `${name}/${i}` : node.outputs[i]!),
  );
  const changed = changedNodeBytes(bytes, { outputs: [...others, name], attribute: asking });
  changes.replaced.set(node, scores ? [bytes, changed] : [changed]);
  changes.outputs.push(outputBytes(name, graph.elementType(node.inputs[0]!), shape));
  list(mapping, node, { name, how: "requested" }, shape);
}

/** The shape of the weights of ONNX's own `Attention`. */
function mapShape(graph: OnnxGraph, { inputs, attributes }: OnnxNode): Shape {
  const [query, key] = [graph.shape(inputs[0] ?? ""), graph.shape(inputs[1] ?? "")];
  const isFlat = attributes.get("q_num_heads")?.integer !== undefined && query?.length !== 4;
  const heads = isFlat ? attributes.get("q_num_heads")?.integer : query?.[1];
  const axis = isFlat ? 1 : 2;
  return [query?.[0], heads, query?.[axis], inputs[4] ? undefined : key?.[axis]];
}

/** Decomposes a fused operator, or lists it with the reason for which it is skipped. */
function addDecomposed(mapping: Mapping, node: FileNode, decompose: DecomposeNode | string): void {
  const { graph, changes, skipped } = mapping;
  const composer = nodeComposer(nextName(mapping));
  const decomposed =
    typeof decompose === "string"
      ? decompose
      : graph.opset < 12
        ? `it would be decomposed into operators of version 12 or later, and the file has ${graph.opset || "none"}`
        : decompose(node, graph, composer);
  if (typeof decomposed === "string") {
    skipped.push(skippedNode(node, decomposed));
    return;
  }
  changes.replaced.set(node, composer.nodes);
  const { weights: value, shape } = decomposed;
  addOutput(mapping, node, { value, how: "decomposed", shape, elementType: elementTypes.float32 });
}

type NewOutput = {
  value: string;
  how: "exposed" | "decomposed";
  shape: Shape;
  elementType: number | undefined;
};

/**
 * Adds a value to the outputs, with four axes where it has five: heads that share keys are then one axis, with the axis of
 * their keys.
 */
function addOutput(mapping: Mapping, node: FileNode, { value, how, shape, elementType }: NewOutput): void {
  const { changes } = mapping;
  const name = nextName(mapping);
  const c = nodeComposer(name);
  let lengths = shape;
  if (shape?.length === 5) {
    const all = c.op("Shape", [value]);
    const some = (start: number, end: number) => c.op("Slice", [all, c.int64List(start), c.int64List(end)]);
    c.op("Reshape", [value, shapeOf(c, some(0, 1), -1, some(3, 5))], {}, name);
    const [B, Hkv, group, ...rest] = shape;
    const areKnown = typeof Hkv === "number" && typeof group === "number";
    lengths = [B, areKnown ? Hkv * group : undefined, ...rest];
  } else c.op("Identity", [value], {}, name);
  changes.nodes.push(...c.nodes);
  changes.outputs.push(outputBytes(name, elementType, lengths));
  list(mapping, node, { name, how }, lengths);
}

/** Attention inside of the graphs that a node has, whose values cannot leave them. */
function innerAttention(node: OnnxNode, outer: OnnxGraph): SkippedNode[] {
  const inner = [...node.attributes.values()].flatMap(({ name, graphs }) =>
    graphs.map((graph) => ({ name, ...graph })),
  );
  return inner.flatMap(({ name, ...graph }) => {
    const parts = { ...graph, opset: outer.opset, outer };
    return [
      ...attentionIn(parts, `it is inside ${name} of ${nodeName(node)}, a graph of its own`),
      ...graph.nodes.flatMap((each) => innerAttention(each, onnxGraph(parts))),
    ];
  });
}

function attentionIn(parts: Parameters<typeof onnxGraph>[0], reason: string): SkippedNode[] {
  const { found, skipped } = findComposed(onnxGraph(parts));
  const softmaxes = new Set(found.map(({ node }) => node));
  const attention = parts.nodes.filter((node) => softmaxes.has(node) || isAttention(node));
  return [...attention.map((node) => skippedNode(node, reason)), ...skipped];
}

function result({ model, changes, maps, skipped }: Mapping): OnnxWithMaps {
  const { size, chunks } = changedFile(model, changes);
  return {
    ...{ maps, skipped, externalData: [...model.externalData], size, chunks },
    async bytes() {
      const all = new Uint8Array(size);
      let at = 0;
      for await (const chunk of chunks()) {
        all.set(chunk, at);
        at += chunk.length;
      }
      return all;
    },
  };
}

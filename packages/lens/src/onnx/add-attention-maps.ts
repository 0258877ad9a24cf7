import { checks } from "@qkv/core";
import type { FileSource } from "@qkv/core/byte-source";
import { findComposed, skippedNode, nodeName, operatorName, type SkippedNode } from "./composed-attention.js";
import { decomposeGroupQueryAttention } from "./fused/group-query-attention.js";
import { decomposeMultiHeadAttention } from "./fused/multi-head-attention.js";
import { concatShape, nodeComposer, type NodeComposer } from "./fused/node-composer.js";
import type { DecomposeNode, Decomposition } from "./fused/decomposition.js";
import { decomposePackedAttention } from "./fused/packed-attention.js";
import { decomposeStandardAttention } from "./fused/standard-attention.js";
import { changedFile, openOnnxFile, type FileNode, type OnnxFile } from "./onnx-file.js";
import { onnxGraph, type OnnxGraph } from "./onnx-graph.js";
import { elementTypes, type AxisLength, type OnnxNode } from "./read-messages.js";
import { changedNodeBytes, outputBytes } from "./write-messages.js";

/** Attention weights that are an output of the graph. */
export type AttentionMap = {
  /** Name of the graph's output. */
  name: string;
  /** Name of the node that computes them: a softmax, or a fused operator. */
  node: string;
  /** The operator, with its domain unless that is ONNX's own: `Softmax`, `com.microsoft.GroupQueryAttention`. */
  operator: string;
  /**
   * `exposed`: an inner value of the graph became an output. `requested`: an attribute makes the operator return them.
   * `decomposed`: the fused operator was replaced by primitive operators. `existing`: they were an output before.
   */
  how: "exposed" | "requested" | "decomposed" | "existing";
  /**
   * `[B, H, T, S]`: a length, the name of a dynamic axis, or `?` if unknown. Some graphs have one axis for batch
   * and heads. Undefined if the number of axes is unknown.
   */
  shape: (number | string)[] | undefined;
};

/** Bytes that are not shared between threads. Written without a type argument, which TypeScript before 5.7 refuses. */
type OwnBytes = ReturnType<typeof Uint8Array.of>;

/** A file with its attention weights as outputs. */
export type OnnxWithMaps = {
  /** The maps, in the order of the graph. */
  maps: AttentionMap[];
  /** Nodes that look like attention and were not changed, each with the reason. */
  skipped: SkippedNode[];
  /** Names of the external data files, which belong in the folder of the new file. */
  externalData: string[];
  /** Size of the file. Unit: bytes. */
  size: number;
  /** The file in chunks of at most 4 MiB, in order. */
  chunks(): AsyncGenerator<Uint8Array, void, undefined>;
  /** The whole file. */
  bytes(): Promise<OwnBytes>;
};

/** Options of `addAttentionMaps`. */
export type AttentionMapOptions = {
  /** Prefix of the outputs' names: `attentions.0`, `attentions.1`. Default `"attentions"`. */
  name?: string;
  /**
   * Fused operators to decompose into primitive operators. `needed`: those that cannot return their weights. `all`:
   * also ONNX's own `Attention`, which can. Default `"needed"`.
   */
  decompose?: "needed" | "all";
  /** Cancels the reading of the file. Default: none. */
  signal?: AbortSignal;
};

/**
 * Adds the attention weights of an ONNX graph to its outputs, so that an inference engine returns the maps of a model that
 * was exported without them.
 *
 * It finds attention that is composed of primitive operators (a product of queries and keys, a softmax, a product with
 * values), ONNX's own `Attention`, and Microsoft's `Attention`, `MultiHeadAttention` and `GroupQueryAttention`. The three
 * of Microsoft are decomposed: scale, masks, past and present, window, softcap, sinks and rotary embeddings are
 * computed as the operators do, in float32. All other bytes of the file are copied unchanged. Decomposing needs opset 12 or
 * later.
 *
 * Weights are read while the new file is written: at most 4 MiB are in memory at a time. External data files
 * are not changed.
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
  const context: MapContext = { model, graph, name, changes, maps: [], skipped: [] };
  const composed = findComposed(graph);
  context.skipped.push(...composed.skipped);
  const weightsByNode = new Map(composed.found.map(({ node, weights }) => [node, weights]));
  const functions = new Set(model.functions.map((each) => each.name));
  for (const node of model.nodes) {
    context.skipped.push(...nestedAttention(node, graph));
    const weights = weightsByNode.get(node);
    const operator = operatorName(node);
    if (weights !== undefined) addComposed(context, node, weights);
    else if (operator === "Attention" && (decompose === "needed" || givesWeights(node)))
      await addRequested(context, node);
    else if (operator in fusedOperators) addDecomposed(context, node, fusedOperators[operator]!);
    else if (isAttention(node) && !functions.has(node.type))
      context.skipped.push(skippedNode(node, "this operator is not known"));
  }
  for (const { name: inner, nodes } of model.functions) {
    const reason = `it is inside the function ${inner}, whose values are no outputs of the graph`;
    context.skipped.push(...attentionIn({ nodes, initializers: [], values: [], opset: graph.opset }, reason));
  }
  return result(context);
}

/** A file, and the changes collected so far. */
type MapContext = {
  readonly model: OnnxFile;
  readonly graph: OnnxGraph;
  /** Prefix of the names of outputs. */
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

/** Fused operators: functions that decompose them, or the reason why they are skipped. */
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

/** True if the operator's name contains "attention", in any domain. */
const isAttention = ({ type }: OnnxNode): boolean => /attention/i.test(type);

/** An unused name for the next output. */
function nextOutputName({ graph, name, maps }: MapContext): string {
  let next = `${name}.${maps.length}`;
  while (graph.has(next)) next += "_";
  return next;
}

/** Appends a map to the result. */
function recordMap(
  { maps }: MapContext,
  node: OnnxNode,
  map: Pick<AttentionMap, "name" | "how">,
  shape: Shape,
): void {
  const lengths = shape?.map((length) => length ?? "?");
  maps.push({ ...map, node: nodeName(node), operator: operatorName(node), shape: lengths });
}

/** Adds the weights of composed attention to the outputs, unless they are one. */
function addComposed(context: MapContext, node: FileNode, weights: string): void {
  const { graph } = context;
  const shape = graph.shape(weights);
  const existing = existingOutput(graph, weights);
  if (existing !== undefined)
    recordMap(context, node, { name: existing, how: "existing" }, graph.shape(existing) ?? shape);
  else
    addOutput(context, node, {
      value: weights,
      how: "exposed",
      shape,
      elementType: graph.elementType(weights),
    });
}

/** The graph's output that has a value, itself or through `Identity` or `Reshape`. Undefined: there is none. */
function existingOutput(graph: OnnxGraph, value: string): string | undefined {
  const copies = graph
    .consumers(value)
    .filter(({ node }) => node.type === "Identity" || node.type === "Reshape");
  return [value, ...copies.map(({ node }) => node.outputs[0]!)].find((name) => graph.outputs.has(name));
}

/** The attribute of ONNX's own `Attention` that chooses its fourth output; 3: the weights after the softmax. */
const weightsMode = ["qk_matmul_output_mode", 3] as const;

const givesWeights = ({ outputs, attributes }: OnnxNode): boolean =>
  Boolean(outputs[3]) && attributes.get(weightsMode[0])?.integer === weightsMode[1];

/** Makes ONNX's own `Attention` return its weights. A node that returns scores before the softmax is kept, and a copy returns the weights. */
async function addRequested(context: MapContext, node: FileNode): Promise<void> {
  const { model, graph, changes } = context;
  const scores = node.outputs[3];
  const shape = mapShape(graph, node);
  if (scores && givesWeights(node)) {
    if (graph.outputs.has(scores)) recordMap(context, node, { name: scores, how: "existing" }, shape);
    else
      addOutput(context, node, {
        value: scores,
        how: "exposed",
        shape,
        elementType: graph.elementType(node.inputs[0]!),
      });
    return;
  }
  const name = nextOutputName(context);
  const bytes = await model.file.read(node.field.valueStart, node.field.end);
  const others = [0, 1, 2].map(
    (i) => (node.outputs[i] ?? "") && (scores ? `${name}/${i}` : node.outputs[i]!),
  );
  const changed = changedNodeBytes(bytes, { outputs: [...others, name], attribute: weightsMode });
  changes.replaced.set(node, scores ? [bytes, changed] : [changed]);
  changes.outputs.push(outputBytes(name, graph.elementType(node.inputs[0]!), shape));
  recordMap(context, node, { name, how: "requested" }, shape);
}

/** The shape of the weights of ONNX's own `Attention`. */
function mapShape(graph: OnnxGraph, { inputs, attributes }: OnnxNode): Shape {
  const [query, key] = [graph.shape(inputs[0] ?? ""), graph.shape(inputs[1] ?? "")];
  const isFlat = attributes.get("q_num_heads")?.integer !== undefined && query?.length !== 4;
  const heads = isFlat ? attributes.get("q_num_heads")?.integer : query?.[1];
  const axis = isFlat ? 1 : 2;
  return [query?.[0], heads, query?.[axis], inputs[4] ? undefined : key?.[axis]];
}

/** Decomposes a fused operator, or records the reason why it is skipped. */
function addDecomposed(context: MapContext, node: FileNode, decompose: DecomposeNode | string): void {
  const { graph, changes, skipped } = context;
  const composer = nodeComposer(nextOutputName(context));
  const decomposed = decomposeNode(node, graph, decompose, composer);
  if (typeof decomposed === "string") {
    skipped.push(skippedNode(node, decomposed));
    return;
  }
  changes.replaced.set(node, composer.nodes);
  const { weights: value, shape } = decomposed;
  addOutput(context, node, { value, how: "decomposed", shape, elementType: elementTypes.float32 });
}

/** Adds the nodes that replace a node, or returns the reason why it is skipped. */
function decomposeNode(
  node: FileNode,
  graph: OnnxGraph,
  decompose: DecomposeNode | string,
  composer: NodeComposer,
): Decomposition | string {
  if (typeof decompose === "string") return decompose;
  if (graph.opset < 12)
    return `it would be decomposed into operators of version 12 or later, and the file has ${graph.opset || "none"}`;
  return decompose(node, graph, composer);
}

type NewOutput = {
  value: string;
  how: "exposed" | "decomposed";
  shape: Shape;
  elementType: number | undefined;
};

/**
 * Adds a value to the outputs. Five axes `[B, Hkv, group, T, S]` of grouped-query attention become four, `[B, H, T, S]`.
 */
function addOutput(context: MapContext, node: FileNode, { value, how, shape, elementType }: NewOutput): void {
  const { changes } = context;
  const name = nextOutputName(context);
  const c = nodeComposer(name);
  let lengths = shape;
  if (shape?.length === 5) {
    const valueShape = c.op("Shape", [value]);
    const some = (start: number, end: number) =>
      c.op("Slice", [valueShape, c.int64List(start), c.int64List(end)]);
    c.op("Reshape", [value, concatShape(c, some(0, 1), -1, some(3, 5))], {}, name);
    const [B, Hkv, group, ...rest] = shape;
    const areKnown = typeof Hkv === "number" && typeof group === "number";
    lengths = [B, areKnown ? Hkv * group : undefined, ...rest];
  } else c.op("Identity", [value], {}, name);
  changes.nodes.push(...c.nodes);
  changes.outputs.push(outputBytes(name, elementType, lengths));
  recordMap(context, node, { name, how }, lengths);
}

/** Attention in subgraphs of a node (`If`, `Loop`), whose values cannot be outputs of the graph. */
function nestedAttention(node: OnnxNode, outer: OnnxGraph): SkippedNode[] {
  const inner = [...node.attributes.values()].flatMap(({ name, graphs }) =>
    graphs.map((graph) => ({ name, ...graph })),
  );
  return inner.flatMap(({ name, ...graph }) => {
    const parts = { ...graph, opset: outer.opset, outer };
    return [
      ...attentionIn(parts, `it is inside ${name} of ${nodeName(node)}, a graph of its own`),
      ...graph.nodes.flatMap((each) => nestedAttention(each, onnxGraph(parts))),
    ];
  });
}

function attentionIn(parts: Parameters<typeof onnxGraph>[0], reason: string): SkippedNode[] {
  const { found, skipped } = findComposed(onnxGraph(parts));
  const softmaxes = new Set(found.map(({ node }) => node));
  const attention = parts.nodes.filter((node) => softmaxes.has(node) || isAttention(node));
  return [...attention.map((node) => skippedNode(node, reason)), ...skipped];
}

function result({ model, changes, maps, skipped }: MapContext): OnnxWithMaps {
  const { size, chunks } = changedFile(model, changes);
  return {
    ...{ maps, skipped, externalData: [...model.externalData], size, chunks },
    async bytes() {
      const bytes = new Uint8Array(size);
      let at = 0;
      for await (const chunk of chunks()) {
        bytes.set(chunk, at);
        at += chunk.length;
      }
      return bytes;
    },
  };
}

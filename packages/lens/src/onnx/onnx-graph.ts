import {
  elementTypes,
  type AxisLength,
  type OnnxAttribute,
  type OnnxNode,
  type TensorHead,
  type ValueInfo,
} from "./read-messages.js";

/** A graph as values with their producers and consumers, and types and shapes as far as they can be inferred. */
export type OnnxGraph = {
  readonly nodes: readonly OnnxNode[];
  /** Version of ONNX's own operators; 0 if the graph uses none. */
  readonly opset: number;
  /** Names of the graph's outputs. */
  readonly outputs: ReadonlySet<string>;
  /** True if a value of the graph has this name. */
  has(value: string): boolean;
  producer(value: string): OnnxNode | undefined;
  /** Nodes that read a value, and the index of the input. */
  consumers(value: string): readonly { node: OnnxNode; input: number }[];
  /** True for weights and values computed from weights only. Indices and lengths of slices may be computed at run time. */
  isConstant(value: string): boolean;
  /** Elements of a small integer constant. */
  integers(value: string): readonly number[] | undefined;
  elementType(value: string): number | undefined;
  /** Lengths of the axes, as far as they are known; undefined if their number is unknown, or above {@link maxRank}. */
  shape(value: string): readonly AxisLength[] | undefined;
  /** Elements of a 1-D tensor of lengths, as far as they are known. */
  lengths(value: string): readonly AxisLength[] | undefined;
};

/** No tensor of a model has as many axes: a shape of more is unknown, so that no file can make one of any length. */
const maxRank = 64;

type GraphParts = {
  nodes: readonly OnnxNode[];
  initializers: readonly TensorHead[];
  /** Declared types and shapes of inputs, outputs and inner values. */
  values: readonly ValueInfo[];
  opset: number;
  outputs?: readonly string[];
  /** The enclosing graph, whose values its nodes may read. */
  outer?: OnnxGraph;
};

export function onnxGraph({
  nodes,
  initializers,
  values,
  opset,
  outputs = [],
  outer,
}: GraphParts): OnnxGraph {
  const weights = new Map(initializers.map((tensor) => [tensor.name, tensor]));
  const declared = new Map(values.map((info) => [info.name, info]));
  const producers = new Map<string, OnnxNode>();
  const consumers = new Map<string, { node: OnnxNode; input: number }[]>();
  for (const node of nodes) {
    for (const name of node.outputs) if (name) producers.set(name, node);
    node.inputs.forEach((name, input) => {
      if (!name) return;
      const list = consumers.get(name);
      if (list) list.push({ node, input });
      else consumers.set(name, [{ node, input }]);
    });
  }
  const producer = (value: string) => producers.get(value) ?? outer?.producer(value);
  const constantValue = (value: string): TensorHead | undefined =>
    weights.get(value) ??
    (producer(value)?.type === "Constant" ? constantTensor(producer(value)!) : undefined);
  const isConstant: (value: string) => boolean = memoize<boolean>(false, (value) => {
    if (weights.has(value)) return true;
    const node = producers.get(value);
    if (!node) return outer?.isConstant(value) ?? false;
    if (node.type === "If" || node.type === "Loop" || node.type.startsWith("Random")) return false;
    const parents = layoutOps.has(node.type) ? node.inputs.slice(0, 1) : node.inputs;
    return parents.every((input) => input === "" || isConstant(input));
  });
  const integers = (value: string) => constantValue(value)?.integers;

  const elementType: (value: string) => number | undefined = memoize<number | undefined>(
    undefined,
    (value) => {
      const declaredType = weights.get(value)?.elementType ?? declared.get(value)?.elementType;
      if (declaredType) return declaredType;
      const node = producer(value);
      if (!node) return undefined;
      if (node.type === "Cast") return node.attributes.get("to")?.integer;
      if (node.type === "Constant") return constantValue(value)?.elementType;
      if (node.type === "ConstantOfShape")
        return node.attributes.get("value")?.tensor?.elementType ?? elementTypes.float32;
      if (boolOps.has(node.type)) return elementTypes.bool;
      if (integerOps.has(node.type)) return elementTypes.int64;
      const sourceInput = elementTypeInput[node.type] ?? 0;
      return sourceInput === "none" || node.inputs[sourceInput] === undefined
        ? undefined
        : elementType(node.inputs[sourceInput]);
    },
  );

  const ofRank = (shape: Shape | undefined) => (shape && shape.length <= maxRank ? shape : undefined);
  const shape = memoize<Shape | undefined>(undefined, (value) => {
    const declaredShape = ofRank(weights.get(value)?.dims ?? declared.get(value)?.shape);
    if (declaredShape?.every((length) => length !== undefined)) return declaredShape;
    const node = producer(value);
    const inferred = ofRank(
      node?.type === "Constant" ? constantValue(value)?.dims : node && inferShape(node, value, graph),
    );
    if (!declaredShape || declaredShape.length !== inferred?.length) return declaredShape ?? inferred;
    return declaredShape.map((length, axis) => length ?? inferred[axis]);
  });
  const lengths = memoize<Shape | undefined>(undefined, (value) => ofRank(knownLengths(value, graph)));
  const graph: OnnxGraph = {
    ...{
      nodes,
      opset,
      outputs: new Set(outputs),
      producer,
      isConstant,
      integers,
      elementType,
      shape,
      lengths,
    },
    has: (value) => weights.has(value) || declared.has(value) || producers.has(value),
    consumers: (value) => consumers.get(value) ?? [],
  };
  // Computed in topological order, so that the recursion is never deep.
  for (const { outputs: producedValues } of inOrder(nodes, producers)) {
    for (const value of producedValues) {
      isConstant(value);
      elementType(value);
      shape(value);
      lengths(value);
    }
  }
  return graph;
}

/**
 * Nodes in topological order, which ONNX requires of a file and not all files have. The values of nodes in a cycle have no producer
 * from here on: they are unknown.
 */
function inOrder(nodes: readonly OnnxNode[], producers: Map<string, OnnxNode>): readonly OnnxNode[] {
  const waiting = new Map<OnnxNode, number>();
  const readers = new Map<OnnxNode, OnnxNode[]>();
  for (const node of nodes) {
    const read = new Set(node.inputs.flatMap((name) => producers.get(name) ?? []));
    waiting.set(node, read.size);
    for (const from of read) {
      const list = readers.get(from);
      if (list) list.push(node);
      else readers.set(from, [node]);
    }
  }
  const ordered = nodes.filter((node) => waiting.get(node) === 0);
  // Grows while it is walked.
  for (const node of ordered)
    for (const reader of readers.get(node) ?? []) {
      const left = waiting.get(reader)! - 1;
      waiting.set(reader, left);
      if (left === 0) ordered.push(reader);
    }
  if (ordered.length < nodes.length)
    for (const [value, node] of producers) if (waiting.get(node)! > 0) producers.delete(value);
  return ordered;
}

/** Memoizes a function of value names. `initial`: the result while it is being computed, in a cycle. */
function memoize<T>(initial: T, compute: (value: string) => T): (value: string) => T {
  const results = new Map<string, T>();
  return (value) => {
    if (!results.has(value)) {
      results.set(value, initial);
      results.set(value, compute(value));
    }
    return results.get(value)!;
  };
}

function constantTensor({ attributes }: OnnxNode): TensorHead | undefined {
  const get = (name: string): OnnxAttribute | undefined => attributes.get(name);
  const { float32, int64 } = elementTypes;
  const nonZeroLength = { name: "", elementType: int64 };
  const [integer, integers] = [get("value_int")?.integer, get("value_ints")?.integers];
  if (integer !== undefined) return { ...nonZeroLength, dims: [], integers: [integer] };
  if (integers) return { ...nonZeroLength, dims: [integers.length], integers };
  if (get("value_float")) return { name: "", elementType: float32, dims: [] };
  return get("value")?.tensor;
}

/** Operators whose inputs after the first are indices and lengths. */
const layoutOps = new Set(["Slice", "Split", "Reshape", "Expand", "Squeeze", "Unsqueeze", "Tile"]);
const boolOps = new Set([
  ...["Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"],
  ...["And", "Or", "Xor", "Not", "IsNaN", "IsInf"],
]);
const integerOps = new Set(["Shape", "Size", "NonZero", "ArgMax", "ArgMin"]);

/** Index of the input that has the element type of the first output, for operators where it is not the first input. */
const elementTypeInput: Readonly<Record<string, number | "none">> = {
  ...{ Where: 1, CastLike: 1, OneHot: 2, DequantizeLinear: 1, EmbedLayerNormalization: 2 },
  ...{
    GatherBlockQuantized: 2,
    QuantizeLinear: "none",
    DynamicQuantizeLinear: "none",
    MatMulInteger: "none",
  },
  ...{ ConvInteger: "none", If: "none", Loop: "none", Scan: "none", EyeLike: "none", RandomNormal: "none" },
  ...{ RandomUniform: "none", Multinomial: "none", Bernoulli: "none", SequenceAt: "none", Optional: "none" },
};

type Shape = readonly AxisLength[];

/** The shape of an output of a node, for operators that occur in attention. */
function inferShape(node: OnnxNode, value: string, graph: OnnxGraph): Shape | undefined {
  const { type, inputs, attributes } = node;
  const [x, y] = [inputs[0] ?? "", inputs[1] ?? ""];
  const of = (name: string) => graph.shape(name);
  const axes = () => attributes.get("axes")?.integers ?? graph.integers(y);
  switch (type) {
    case "Transpose": {
      const from = of(x);
      const perm = attributes.get("perm")?.integers ?? from?.map((_, axis) => from.length - 1 - axis);
      return perm?.map((axis) => from?.[axis]);
    }
    case "Reshape": {
      const target = graph.lengths(y);
      // 0 copies the length of the same input axis; −1 is inferred from the others.
      return target?.map((length, axis) =>
        length === 0 ? of(x)?.[axis] : length === -1 ? undefined : length,
      );
    }
    case "MatMul":
    case "FusedMatMul": {
      const [a, b] = [of(x), of(y)];
      if (!a || !b) return undefined;
      const swapped = (shape: Shape, name: string): Shape =>
        attributes.get(name)?.integer ? [...shape.slice(0, -2), shape.at(-1), shape.at(-2)] : shape;
      const [left, right] = [swapped(a, "transA"), swapped(b, "transB")];
      return [...(broadcast(left.slice(0, -2), right.slice(0, -2)) ?? []), left.at(-2), right.at(-1)];
    }
    case "Einsum": {
      const [terms = "", result = ""] = einsumEquation(node).split("->");
      if (!result || result.includes(".")) return undefined;
      const operands = terms.split(",").map((term, i) => ({ term, shape: of(inputs[i] ?? "") }));
      return Array.from(result, (letter) => {
        const operand = operands.find(({ term }) => term.includes(letter));
        return operand?.shape?.[operand.term.indexOf(letter)];
      });
    }
    case "Unsqueeze": {
      const [from, added] = [of(x), axes()];
      if (!from || !added) return undefined;
      const rank = from.length + added.length;
      const places = new Set(added.map((axis) => (axis + rank) % rank));
      const rest = [...from];
      return Array.from({ length: rank }, (_, axis) => (places.has(axis) ? 1 : rest.shift()));
    }
    case "Squeeze": {
      const [from, removed] = [of(x), axes()];
      if (!from || !removed) return undefined;
      const places = new Set(removed.map((axis) => (axis + from.length) % from.length));
      return from.filter((_, axis) => !places.has(axis));
    }
    case "Attention":
    case "MultiHeadAttention":
    case "GroupQueryAttention": {
      const from = node.outputs[0] === value ? of(x) : undefined;
      return (
        from && (from.length === 4 ? [...from.slice(0, 3), undefined] : [...from.slice(0, 2), undefined])
      );
    }
    case "ReduceMean":
    case "ReduceSum":
    case "ReduceMax": {
      const [from, reduced] = [of(x), axes()];
      const keeps = attributes.get("keepdims")?.integer !== 0;
      if (!from || !reduced) return keeps ? from?.map(() => undefined) : undefined;
      const places = new Set(reduced.map((axis) => (axis + from.length) % from.length));
      return from.flatMap((length, axis) => (places.has(axis) ? (keeps ? [1] : []) : [length]));
    }
    case "EmbedLayerNormalization":
      // The second output, mask_index `[B]`, is the number of tokens of each text.
      return node.outputs[1] === value ? [of(x)?.[0]] : of(x) && [...of(x)!, undefined];
    case "Gemm":
    case "Flatten":
      return [undefined, undefined];
    case "Range":
      return [undefined];
    case "ConstantOfShape":
      return graph.lengths(x);
    case "Gather":
    case "GatherBlockQuantized": {
      const [from, indices] = [of(x), of(y)];
      if (!from || !indices) return undefined;
      const axis = ((attributes.get("axis")?.integer ?? 0) + from.length) % from.length;
      return [...from.slice(0, axis), ...indices, ...from.slice(axis + 1)];
    }
    case "Expand": {
      const [from, to] = [of(x), graph.lengths(y)];
      return from && to && broadcast(from, to);
    }
    case "Concat":
    case "Split":
    case "Slice":
    case "Pad": {
      // The length of the changed axis is unknown.
      const axis = attributes.get("axis")?.integer;
      const from = of(x);
      return from?.map((length, i) =>
        axis !== undefined && i !== (axis + from.length) % from.length ? length : undefined,
      );
    }
    case "Shape":
      return [of(x)?.length];
    case "MatMulNBits": {
      const from = of(x);
      return from && [...from.slice(0, -1), attributes.get("N")?.integer];
    }
    case "Where":
      return [y, inputs[2] ?? ""].map(of).reduce(broadcastKnown, of(x));
    default:
  }
  if (elementwise.has(type)) return inputs.map(of).reduce(broadcastKnown);
  // The fourth output of SkipLayerNormalization is its input plus the skip connection.
  const isSame = node.outputs[0] === value || (type.startsWith("Skip") && node.outputs[3] === value);
  return sameShape.has(type) && isSame ? of(x) : undefined;
}

/** The equation of an `Einsum`: `bhqd,bhkd->bhqk`. */
export const einsumEquation = ({ attributes }: OnnxNode): string =>
  (attributes.get("equation")?.text ?? "").replaceAll(" ", "");

const elementwise = new Set([
  ...["Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "BiasSoftmax"],
  ...["And", "Or", "Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"],
]);
const sameShape = new Set([
  ...["Softmax", "Cast", "CastLike", "Dropout", "Identity", "QuantizeLinear", "DequantizeLinear"],
  ...["Tanh", "Sigmoid", "Relu", "Erf", "Gelu", "FastGelu", "QuickGelu", "BiasGelu", "Exp", "Sqrt", "Abs"],
  ...["Reciprocal", "Log", "Cos", "Sin", "Floor", "Round", "CumSum", "LeakyRelu", "HardSwish", "Softplus"],
  ...["Neg", "Not", "Clip", "IsNaN", "ScatterND", "ScatterElements", "RotaryEmbedding"],
  ...["Trilu", "LayerNormalization", "RMSNormalization", "SimplifiedLayerNormalization"],
  ...["SkipLayerNormalization", "SkipSimplifiedLayerNormalization"],
]);

/** Elements of a 1-D tensor of lengths: a constant, or a `Concat`, `Slice` or `Shape`; unknown elements are undefined. */
function knownLengths(value: string, graph: OnnxGraph): Shape | undefined {
  const constant = graph.integers(value);
  if (constant) return constant;
  const node = graph.producer(value);
  if (node?.type === "Concat") {
    const parts = node.inputs.map((input) => graph.lengths(input));
    return parts.every((part) => part !== undefined) ? parts.flat() : undefined;
  }
  if (node?.type === "Slice" && node.inputs.length < 5) {
    const [from, [start], [end]] = [
      graph.lengths(node.inputs[0] ?? ""),
      ...node.inputs.slice(1, 3).map((input) => graph.integers(input) ?? []),
    ] as [Shape | undefined, readonly number[], readonly number[]];
    if (from) return start === undefined || end === undefined ? undefined : from.slice(start, end);
  }
  if (node?.type === "Shape" && !node.attributes.has("start") && !node.attributes.has("end")) {
    const shape = graph.shape(node.inputs[0] ?? "");
    return shape?.map(nonZeroLength);
  }
  const [count, ...more] = graph.shape(value) ?? [];
  const isRank = typeof count === "number" && count >= 0 && count <= maxRank && more.length === 0;
  return isRank ? Array<AxisLength>(count).fill(undefined) : undefined;
}

/** `Reshape` reads 0 as "copy the axis", so a length of 0 counts as unknown. */
const nonZeroLength = (length: AxisLength): AxisLength => (length === 0 ? undefined : length);

function broadcast(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const [left, right] = [a.length - rank + i, b.length - rank + i];
    if (left < 0) return b[right];
    if (right < 0) return a[left];
    const [x, y] = [a[left], b[right]];
    if (x === 1) return y;
    if (y === 1) return x;
    // An unknown length is 1 or equals the other.
    return x ?? (typeof y === "number" ? y : undefined);
  });
}

/** Broadcasts two shapes; unknown if one is unknown. */
const broadcastKnown = (a: Shape | undefined, b: Shape | undefined): Shape | undefined =>
  a && b ? broadcast(a, b) : undefined;

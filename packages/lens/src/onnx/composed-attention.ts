import { equationOf, type OnnxGraph } from "./onnx-graph.js";
import type { OnnxNode } from "./read-messages.js";

/** Attention that a graph composes of operators. */
export type ComposedAttention = {
  /** The softmax, or the quotient that ends one that is composed itself. */
  node: OnnxNode;
  /** The value that is multiplied with the values: weights after dropout, sinks, a mask of heads. */
  weights: string;
};

/** A node that looks like attention and stays as it is. */
export type SkippedNode = {
  /** Its name, or that of its first output where it has none. */
  node: string;
  operator: string;
  reason: string;
};

/** The name of a node, or that of its first output where it has none. */
export const nodeName = ({ name, outputs }: OnnxNode): string => name || (outputs.find(Boolean) ?? "");

/** The operator of a node, with its domain where that is not ONNX's own. */
export const operatorOf = ({ domain, type }: OnnxNode): string => (domain ? `${domain}.${type}` : type);

export const skippedNode = (node: OnnxNode, reason: string): SkippedNode => ({
  ...{ node: nodeName(node), operator: operatorOf(node), reason },
});

/**
 * Finds attention that is composed of operators: a product of queries and keys, a softmax over its last axis, and a
 * product with values. A product may be one of elements and its sum (`Mul` and `ReduceSum`). Between the products a graph may scale, cap, mask, add, cast and reshape, in any order. The softmax
 * may be composed too, of an exponential and its sum, or be the exponential of a `LogSoftmax`.
 */
export function findComposed(graph: OnnxGraph): { found: ComposedAttention[]; skipped: SkippedNode[] } {
  const found: ComposedAttention[] = [];
  const skipped: SkippedNode[] = [];
  const passed = new Set<OnnxNode>();
  for (const node of graph.nodes) {
    if (node.type === "QLinearSoftmax") skipped.push(skippedNode(node, "it computes with quantized numbers"));
    const softmax = softmaxAt(graph, node);
    if (softmax === undefined) continue;
    passed.add(node);
    const way = wayToValues(graph, softmax.weights);
    const dots = hasDots(graph, softmax.scores);
    if (way === undefined && !dots) continue; // a softmax of something else
    const reason = !dots
      ? "what it takes is no product of queries and keys"
      : (axisProblem(graph, softmax) ??
        (way === undefined ? "what it gives is multiplied with no values" : undefined));
    if (way !== undefined) passed.add(way.product);
    if (reason !== undefined) skipped.push(skippedNode(node, reason));
    else found.push({ node, weights: way!.weights });
  }
  return { found, skipped: [...skipped, ...withoutSoftmax(graph, passed)] };
}

/** A softmax: what it takes, what it gives, and its axis; undefined where that is always the last. */
type SoftmaxParts = { scores: string; weights: string; axis: number | undefined };

/** The softmax that ends at a node; undefined where none does. */
function softmaxAt(
  graph: OnnxGraph,
  { type, inputs, outputs, attributes }: OnnxNode,
): SoftmaxParts | undefined {
  const [scores = "", divisor = ""] = inputs;
  const [weights = ""] = outputs;
  const axis = attributes.get("axis")?.integer ?? (graph.opset >= 13 ? -1 : 1);
  if (type === "Softmax") return { scores, weights, axis };
  if (type === "BiasSoftmax") return { scores, weights, axis: undefined };
  if (type === "LogSoftmax") {
    const exponential = graph.consumers(weights).find(({ node }) => node.type === "Exp");
    return exponential && { scores, weights: exponential.node.outputs[0]!, axis };
  }
  if (type !== "Div") return undefined;
  const [exponential, sum] = [graph.producer(scores), graph.producer(divisor)];
  if (exponential?.type !== "Exp" || sum?.type !== "ReduceSum" || sum.inputs[0] !== scores) return undefined;
  const axes = summedAxes(graph, sum);
  return axes?.length === 1 ? { scores: exponential.inputs[0]!, weights, axis: axes[0] } : undefined;
}

/** Axes that a `ReduceSum` sums over; undefined where they are not known. */
const summedAxes = (graph: OnnxGraph, { attributes, inputs }: OnnxNode): readonly number[] | undefined =>
  attributes.get("axes")?.integers ?? graph.integers(inputs[1] ?? "");

/** True for a sum over one axis, counted from the end: −1 is the last. */
function sumsOver(graph: OnnxGraph, node: OnnxNode, axis: number): boolean {
  const axes = node.type === "ReduceSum" ? summedAxes(graph, node) : undefined;
  if (axes?.length !== 1) return false;
  const rank = graph.shape(node.inputs[0] ?? "")?.length;
  return axes[0] === axis || (rank !== undefined && axes[0] === rank + axis);
}

/** The reason for which a softmax is not one over keys. */
function axisProblem({ shape }: OnnxGraph, { scores, axis }: SoftmaxParts): string | undefined {
  if (axis === undefined || axis === -1) return undefined;
  const rank = shape(scores)?.length;
  // Queries and keys are the last two axes, after one or more for the batch.
  const last = rank === undefined ? axis >= 2 : axis === rank - 1;
  return last ? undefined : `it is a softmax over axis ${axis}, which is not the last`;
}

/**
 * Products of queries and transposed keys whose result is multiplied with values without a softmax: sigmoids, squares,
 * decay.
 *
 * @param passed - Softmaxes, and products of their weights with values.
 */
function withoutSoftmax(graph: OnnxGraph, passed: ReadonlySet<OnnxNode>): SkippedNode[] {
  const products = graph.nodes.filter(
    (node) => !passed.has(node) && isProduct(graph, node) && hasTransposedKeys(graph, node),
  );
  return products
    .filter(({ outputs: [scores = ""] }) =>
      reaches(graph, scores, (node, input) => {
        if (passed.has(node)) return "stop";
        if (multiplies(node, input, false) && isProduct(graph, node)) return "found";
        return between.has(node.type) || activations.has(node.type) ? "pass" : "stop";
      }),
    )
    .map((node) => skippedNode(node, "its scores are multiplied with values without a softmax"));
}

/** Functions of single scores, in place of a softmax. */
const activations = new Set([
  ...["Sigmoid", "HardSigmoid", "Relu", "LeakyRelu", "Elu", "Softplus", "Gelu", "Exp", "Pow", "Abs", "Sqrt"],
  ...["Hardmax", "LpNormalization"],
]);

/** True if the last axis of the right side was another one before, as that of keys `[B, H, D, S]` was. */
function hasTransposedKeys(graph: OnnxGraph, node: OnnxNode): boolean {
  if (node.type === "Einsum") {
    const [left = "", right = ""] = equationOf(node).split("->")[0]!.split(",");
    return left.at(-1) === right.at(-1); // both end with the width of a head
  }
  if (node.attributes.get("transB")?.integer) return true;
  let key = graph.producer(node.inputs[1] ?? "");
  while (key && (key.type === "Mul" || key.type === "Div" || key.type === "Cast" || key.type === "Reshape"))
    key = graph.producer(key.inputs[0] ?? "");
  if (key?.type !== "Transpose") return false;
  const perm = key.attributes.get("perm")?.integers;
  return perm === undefined || perm.at(-1) !== perm.length - 1;
}

/** True if a walk from a value along the graph ends at a node that is `found`. */
function reaches(
  graph: OnnxGraph,
  from: string,
  step: (node: OnnxNode, input: number) => "found" | "pass" | "stop",
): boolean {
  const seen = new Set<string>();
  const values = [from];
  for (let value = values.pop(); value !== undefined; value = values.pop()) {
    if (seen.has(value) || seen.size > 200) continue;
    seen.add(value);
    for (const { node, input } of graph.consumers(value)) {
      const next = step(node, input);
      if (next === "found") return true;
      if (next === "pass") values.push(...node.outputs.slice(0, 1));
    }
  }
  return false;
}

/** Operators that weights pass on their way to the values. */
const layouts = new Set([
  ...["Identity", "Dropout", "Cast", "Reshape", "Unsqueeze", "Squeeze", "Expand", "Flatten"],
  ...["QuantizeLinear", "DequantizeLinear"],
]);
/** Operators that change weights on that way: sinks are cut off, rows without keys made 0, heads switched off. */
const changes = new Set(["Slice", "Where", "Mul", "Div"]);

/** The product with values, and its weights in the form that they have before they are laid out for it. */
function wayToValues(graph: OnnxGraph, softmax: string): { weights: string; product: OnnxNode } | undefined {
  type Place = { value: string; weights: string; transposed: boolean; steps: number };
  const places: Place[] = [{ value: softmax, weights: softmax, transposed: false, steps: 0 }];
  for (let place = places.shift(); place; place = places.shift()) {
    const { value, weights, transposed, steps } = place;
    for (const { node, input } of graph.consumers(value)) {
      const sum = sumOfValues(graph, node, { weights, value });
      if (sum) return { weights, product: sum };
      if (multiplies(node, input, transposed)) return { weights, product: node };
      const [output] = node.outputs;
      if (output === undefined || steps > 8) continue;
      if (layouts.has(node.type) && input === 0)
        places.push({ value: output, weights, transposed, steps: steps + 1 });
      else if (changes.has(node.type) && !(node.type === "Where" && input === 0))
        places.push({ value: output, weights: output, transposed, steps: steps + 1 });
      else if (node.type === "Transpose")
        places.push({
          ...{ value: output, weights, steps: steps + 1 },
          transposed: swapsLastAxes(node) ? !transposed : transposed,
        });
    }
  }
  return undefined;
}

/**
 * The sum over keys of weights `[…, T, S, 1]` times values `[…, 1, S, D]`, or of `[…, T, 1, S]` times `[…, 1, D, S]`: the axis
 * of length 1 stands for D. Without it a product is of weights and a mask, and its sum the total of weights.
 */
function sumOfValues(
  graph: OnnxGraph,
  node: OnnxNode,
  { weights, value }: { weights: string; value: string },
): OnnxNode | undefined {
  const [laidOut, own] = [graph.shape(value), graph.shape(weights)];
  if (node.type !== "Mul" || !laidOut || laidOut.length !== (own?.length ?? 0) + 1) return undefined;
  const axis = laidOut.at(-1) === 1 ? -2 : laidOut.at(-2) === 1 ? -1 : undefined;
  if (axis === undefined) return undefined;
  return graph.consumers(node.outputs[0] ?? "").find((next) => sumsOver(graph, next.node, axis))?.node;
}

function swapsLastAxes({ attributes }: OnnxNode): boolean {
  const perm = attributes.get("perm")?.integers;
  return perm === undefined || perm.at(-1) === perm.length - 2;
}

/** True if a node multiplies weights and values: `P · V`, or `Vᵀ · Pᵀ`. */
function multiplies(node: OnnxNode, input: number, transposed: boolean): boolean {
  const { type, attributes } = node;
  if (type === "MatMul") return transposed ? input === 1 : input === 0;
  if (type === "FusedMatMul") {
    const flips = Boolean(attributes.get(input === 0 ? "transA" : "transB")?.integer);
    return (input === 0) === (transposed === flips);
  }
  if (type !== "Einsum") return false;
  // The axis of keys, the last of the weights, is summed over.
  const [terms = "", result = ""] = equationOf(node).split("->");
  const letter = terms.split(",")[input]?.at(transposed ? -2 : -1);
  return letter !== undefined && terms.includes(",") && !result.includes(letter);
}

/** Operators between the product of queries and keys and the softmax. */
const between = new Set([
  ...["Add", "Sub", "Mul", "Div", "Neg", "Tanh", "Where", "Max", "Min", "Clip", "Cast", "Identity"],
  ...["Reshape", "Unsqueeze", "Squeeze", "Transpose", "Expand", "Slice", "Concat", "Pad", "Dropout"],
  ...["QuantizeLinear", "DequantizeLinear", "ScatterND", "ScatterElements"],
]);

/** True if scores come from a product of queries and keys, neither of them a matrix of weights. */
function hasDots(graph: OnnxGraph, scores: string): boolean {
  const seen = new Set<string>();
  const values = [scores];
  for (let value = values.pop(); value !== undefined; value = values.pop()) {
    if (seen.has(value) || seen.size > 200) continue;
    seen.add(value);
    const node = graph.producer(value);
    if (!node) continue;
    if (isProduct(graph, node)) return true;
    if (between.has(node.type)) values.push(...node.inputs.filter(Boolean));
  }
  return false;
}

const products = new Set(["MatMul", "FusedMatMul", "Einsum"]);

/** A product with a matrix that is a weight is a projection. A learned query on the left is none. */
function isProduct(graph: OnnxGraph, node: OnnxNode): boolean {
  const { type, inputs } = node;
  if (sumsOver(graph, node, -1)) {
    const elements = graph.producer(inputs[0] ?? "");
    if (elements?.type !== "Mul") return false;
    const [left, right] = elements.inputs as [string, string];
    return left !== right && !graph.isConstant(left) && !graph.isConstant(right); // a sum of squares is a norm
  }
  if (!products.has(type) || inputs.length !== 2) return false;
  const [left = "", right = ""] = inputs;
  if (type === "Einsum") return !graph.isConstant(left) && !graph.isConstant(right);
  return !graph.isConstant(right);
}

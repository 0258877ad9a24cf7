import { einsumEquation, type OnnxGraph } from "./onnx-graph.js";
import type { OnnxNode } from "./read-messages.js";

/** Attention that is composed of primitive operators. */
export type ComposedAttention = {
  /** The `Softmax`, or the `Div` of a softmax that is composed itself. */
  node: OnnxNode;
  /** Name of the tensor that is multiplied with the values: weights after dropout, sinks, or a mask of heads. */
  weights: string;
};

/** A node that looks like attention and was not changed. */
export type SkippedNode = {
  /** Its name, or if it has none, the name of its first output. */
  node: string;
  operator: string;
  reason: string;
};

/** The name of a node, or if it has none, the name of its first output. */
export const nodeName = ({ name, outputs }: OnnxNode): string => name || (outputs.find(Boolean) ?? "");

/** The operator of a node, with its domain unless that is ONNX's own. */
export const operatorName = ({ domain, type }: OnnxNode): string => (domain ? `${domain}.${type}` : type);

export const skippedNode = (node: OnnxNode, reason: string): SkippedNode => ({
  ...{ node: nodeName(node), operator: operatorName(node), reason },
});

/**
 * Finds attention that is composed of primitive operators: a product of queries and keys, a softmax over its last axis, and
 * a product with values. A product is a `MatMul` or an `Einsum`, or a `Mul` and a `ReduceSum`. Between the products a graph may
 * scale, cap, mask, add, cast and reshape, in any order. The softmax may itself be composed, `Exp / ReduceSum(Exp)`, or be the
 * exponential of a `LogSoftmax`.
 */
export function findComposed(graph: OnnxGraph): { found: ComposedAttention[]; skipped: SkippedNode[] } {
  const found: ComposedAttention[] = [];
  const skipped: SkippedNode[] = [];
  const visited = new Set<OnnxNode>();
  for (const node of graph.nodes) {
    if (node.type === "QLinearSoftmax") skipped.push(skippedNode(node, "it computes with quantized numbers"));
    const softmax = softmaxAt(graph, node);
    if (softmax === undefined) continue;
    visited.add(node);
    const valueProduct = findValueProduct(graph, softmax.weights);
    const dots = hasQueryKeyProduct(graph, softmax.scores);
    if (valueProduct === undefined && !dots) continue; // a softmax of something else
    const reason = !dots
      ? "its input is not a product of queries and keys"
      : (axisProblem(graph, softmax) ??
        (valueProduct === undefined ? "its output is not multiplied with values" : undefined));
    if (valueProduct !== undefined) visited.add(valueProduct.product);
    if (reason !== undefined) skipped.push(skippedNode(node, reason));
    else found.push({ node, weights: valueProduct!.weights });
  }
  return { found, skipped: [...skipped, ...withoutSoftmax(graph, visited)] };
}

/** A softmax: its input, its output, and its axis; undefined for operators that always use the last axis. */
type SoftmaxParts = { scores: string; weights: string; axis: number | undefined };

/** The softmax whose last node is `node`; undefined if there is none. */
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

/** Axes of a `ReduceSum`; undefined if they are unknown. */
const summedAxes = (graph: OnnxGraph, { attributes, inputs }: OnnxNode): readonly number[] | undefined =>
  attributes.get("axes")?.integers ?? graph.integers(inputs[1] ?? "");

/** True if a node is a `ReduceSum` over one axis. `axis`: from the end, −1 is the last. */
function sumsOver(graph: OnnxGraph, node: OnnxNode, axis: number): boolean {
  const axes = node.type === "ReduceSum" ? summedAxes(graph, node) : undefined;
  if (axes?.length !== 1) return false;
  const rank = graph.shape(node.inputs[0] ?? "")?.length;
  return axes[0] === axis || (rank !== undefined && axes[0] === rank + axis);
}

/** The reason why a softmax is not over keys; undefined if it is. */
function axisProblem({ shape }: OnnxGraph, { scores, axis }: SoftmaxParts): string | undefined {
  if (axis === undefined || axis === -1) return undefined;
  const rank = shape(scores)?.length;
  // Queries and keys are the last two axes, after one or more for the batch.
  const last = rank === undefined ? axis >= 2 : axis === rank - 1;
  return last ? undefined : `it is a softmax over axis ${axis}, which is not the last`;
}

/**
 * Finds attention without a softmax, such as sigmoid attention, squared ReLU or retention: products of queries and transposed
 * keys whose result is multiplied with values.
 *
 * @param visited - Softmaxes and the products of their weights with values, which are skipped.
 */
function withoutSoftmax(graph: OnnxGraph, visited: ReadonlySet<OnnxNode>): SkippedNode[] {
  const products = graph.nodes.filter(
    (node) => !visited.has(node) && isProduct(graph, node) && hasTransposedKeys(graph, node),
  );
  return products
    .filter(({ outputs: [scores = ""] }) =>
      reaches(graph, scores, (node, input) => {
        if (visited.has(node)) return "stop";
        if (multiplies(node, input, false) && isProduct(graph, node)) return "found";
        return scoreOps.has(node.type) || activations.has(node.type) ? "pass" : "stop";
      }),
    )
    .map((node) => skippedNode(node, "its scores are multiplied with values without a softmax"));
}

/** Elementwise functions of scores, in place of a softmax. */
const activations = new Set([
  ...["Sigmoid", "HardSigmoid", "Relu", "LeakyRelu", "Elu", "Softplus", "Gelu", "Exp", "Pow", "Abs", "Sqrt"],
  ...["Hardmax", "LpNormalization"],
]);

/** True if the right operand was transposed, so that its last axis is S: keys `[B, H, D, S]`. */
function hasTransposedKeys(graph: OnnxGraph, node: OnnxNode): boolean {
  if (node.type === "Einsum") {
    const [left = "", right = ""] = einsumEquation(node).split("->")[0]!.split(",");
    return left.at(-1) === right.at(-1); // both operands end with the axis D
  }
  if (node.attributes.get("transB")?.integer) return true;
  let key = graph.producer(node.inputs[1] ?? "");
  while (key && (key.type === "Mul" || key.type === "Div" || key.type === "Cast" || key.type === "Reshape"))
    key = graph.producer(key.inputs[0] ?? "");
  if (key?.type !== "Transpose") return false;
  const perm = key.attributes.get("perm")?.integers;
  return perm === undefined || perm.at(-1) !== perm.length - 1;
}

/** True if a walk along consumers, from a value, reaches a node for which `step` returns `found`. */
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

/** Operators between the softmax and the product with values that only change layout, type or scale of quantization. */
const layoutOps = new Set([
  ...["Identity", "Dropout", "Cast", "Reshape", "Unsqueeze", "Squeeze", "Expand", "Flatten"],
  ...["QuantizeLinear", "DequantizeLinear"],
]);
/** Operators in the same place that change the weights: they slice sinks off, zero rows without keys, or mask heads. */
const weightChangingOps = new Set(["Slice", "Where", "Mul", "Div"]);

/** Finds the product with values by a breadth-first search; `weights` is its operand before any change of layout. */
function findValueProduct(
  graph: OnnxGraph,
  softmax: string,
): { weights: string; product: OnnxNode } | undefined {
  type Place = { value: string; weights: string; transposed: boolean; steps: number };
  const places: Place[] = [{ value: softmax, weights: softmax, transposed: false, steps: 0 }];
  for (let place = places.shift(); place; place = places.shift()) {
    const { value, weights, transposed, steps } = place;
    for (const { node, input } of graph.consumers(value)) {
      const sum = findSumWithValues(graph, node, { weights, value });
      if (sum) return { weights, product: sum };
      if (multiplies(node, input, transposed)) return { weights, product: node };
      const [output] = node.outputs;
      if (output === undefined || steps > 8) continue;
      if (layoutOps.has(node.type) && input === 0)
        places.push({ value: output, weights, transposed, steps: steps + 1 });
      else if (weightChangingOps.has(node.type) && !(node.type === "Where" && input === 0))
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
 * Finds the `ReduceSum` over keys of `Mul(weights, values)`: weights `[…, T, S, 1]` times values `[…, 1, S, D]`, or
 * `[…, T, 1, S]` times `[…, 1, D, S]`. The axis of length 1 broadcasts over D; without it, the weights are multiplied with a mask.
 */
function findSumWithValues(
  graph: OnnxGraph,
  node: OnnxNode,
  { weights, value }: { weights: string; value: string },
): OnnxNode | undefined {
  const [shape, weightShape] = [graph.shape(value), graph.shape(weights)];
  if (node.type !== "Mul" || !shape || shape.length !== (weightShape?.length ?? 0) + 1) return undefined;
  const axis = shape.at(-1) === 1 ? -2 : shape.at(-2) === 1 ? -1 : undefined;
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
    const isTransposed = Boolean(attributes.get(input === 0 ? "transA" : "transB")?.integer);
    return (input === 0) === (transposed === isTransposed);
  }
  if (type !== "Einsum") return false;
  // The last axis of the weights, S, is summed over.
  const [terms = "", result = ""] = einsumEquation(node).split("->");
  const letter = terms.split(",")[input]?.at(transposed ? -2 : -1);
  return letter !== undefined && terms.includes(",") && !result.includes(letter);
}

/** Operators between the product of queries and keys and the softmax. */
const scoreOps = new Set([
  ...["Add", "Sub", "Mul", "Div", "Neg", "Tanh", "Where", "Max", "Min", "Clip", "Cast", "Identity"],
  ...["Reshape", "Unsqueeze", "Squeeze", "Transpose", "Expand", "Slice", "Concat", "Pad", "Dropout"],
  ...["QuantizeLinear", "DequantizeLinear", "ScatterND", "ScatterElements"],
]);

/** True if scores come from a product of queries and keys, neither of them a constant weight. */
function hasQueryKeyProduct(graph: OnnxGraph, scores: string): boolean {
  const seen = new Set<string>();
  const values = [scores];
  for (let value = values.pop(); value !== undefined; value = values.pop()) {
    if (seen.has(value) || seen.size > 200) continue;
    seen.add(value);
    const node = graph.producer(value);
    if (!node) continue;
    if (isProduct(graph, node)) return true;
    if (scoreOps.has(node.type)) values.push(...node.inputs.filter(Boolean));
  }
  return false;
}

const products = new Set(["MatMul", "FusedMatMul", "Einsum"]);

/** True for a product of two activations. A constant right operand is a projection; a constant left operand may be a learned query. */
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

import { equationOf, type OnnxGraph } from "./onnx-graph.js";
import type { OnnxNode } from "./read-messages.js";

/** Attention that a graph composes of operators. */
export type ComposedAttention = {
  /** The softmax. */
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
 * product with values. Between the products a graph may scale, cap, mask, add, cast and reshape, in any order.
 */
export function findComposed(graph: OnnxGraph): { found: ComposedAttention[]; skipped: SkippedNode[] } {
  const found: ComposedAttention[] = [];
  const skipped: SkippedNode[] = [];
  for (const node of graph.nodes) {
    if (node.type === "QLinearSoftmax") skipped.push(skippedNode(node, "it computes with quantized numbers"));
    if (!softmaxes.has(node.type)) continue;
    const weights = weightsBefore(graph, node.outputs[0] ?? "");
    const dots = hasDots(graph, node.inputs[0] ?? "");
    if (weights === undefined && !dots) continue; // a softmax of something else
    const reason =
      weights === undefined
        ? "what it gives is multiplied with no values"
        : !dots
          ? "what it takes is no product of queries and keys"
          : axisProblem(graph, node);
    if (reason !== undefined) skipped.push(skippedNode(node, reason));
    else found.push({ node, weights: weights! });
  }
  return { found, skipped };
}

const softmaxes = new Set(["Softmax", "BiasSoftmax"]);

/** The reason for which a softmax is not one over keys. */
function axisProblem({ opset, shape }: OnnxGraph, node: OnnxNode): string | undefined {
  if (node.type === "BiasSoftmax") return undefined;
  const axis = node.attributes.get("axis")?.integer ?? (opset >= 13 ? -1 : 1);
  if (axis === -1) return undefined;
  const rank = shape(node.inputs[0] ?? "")?.length;
  // Queries and keys are the last two axes, after one or more for the batch.
  const last = rank === undefined ? axis >= 2 : axis === rank - 1;
  return last ? undefined : `it is a softmax over axis ${axis}, which is not the last`;
}

/** Operators that weights pass on their way to the values. */
const layouts = new Set([
  ...["Identity", "Dropout", "Cast", "Reshape", "Unsqueeze", "Squeeze", "Expand", "Flatten"],
  ...["QuantizeLinear", "DequantizeLinear"],
]);
/** Operators that change weights on that way: sinks are cut off, rows without keys made 0, heads switched off. */
const changes = new Set(["Slice", "Where", "Mul", "Div"]);

/** The value that is multiplied with values, in the form that it has before it is laid out for that. */
function weightsBefore(graph: OnnxGraph, softmax: string): string | undefined {
  type Place = { value: string; weights: string; transposed: boolean; steps: number };
  const places: Place[] = [{ value: softmax, weights: softmax, transposed: false, steps: 0 }];
  for (let place = places.shift(); place; place = places.shift()) {
    const { value, weights, transposed, steps } = place;
    for (const { node, input } of graph.consumers(value)) {
      if (multiplies(node, input, transposed)) return weights;
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
function isProduct(graph: OnnxGraph, { type, inputs }: OnnxNode): boolean {
  if (!products.has(type) || inputs.length !== 2) return false;
  const [left = "", right = ""] = inputs;
  if (type === "Einsum") return !graph.isConstant(left) && !graph.isConstant(right);
  return !graph.isConstant(right);
}

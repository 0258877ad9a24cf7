import type { OnnxGraph } from "../onnx-graph.js";
import type { AxisLength, OnnxNode } from "../read-messages.js";
import type { NodeComposer } from "./node-composer.js";

/** A fused operator, decomposed into ONNX's own operators. */
export type Decomposition = {
  /** Name of the value with the weights, `[B, H, T, S]`. */
  weights: string;
  /** Its shape, as far as it is known. */
  shape: readonly AxisLength[];
};

/** Decomposes a node: adds nodes that compute its outputs and its weights. Returns a string, the reason, if it cannot. */
export type DecomposeNode = (node: OnnxNode, graph: OnnxGraph, c: NodeComposer) => Decomposition | string;

/** Inputs or outputs of a node by name; undefined if the node omits one. */
export function namedArguments<const Names extends readonly string[]>(
  values: readonly string[],
  names: Names,
): { [name in Names[number]]: string | undefined } {
  return Object.fromEntries(names.map((name, i) => [name, values[i] || undefined])) as never;
}

/** The reason why a node cannot be decomposed, an unknown attribute or input; undefined if there is none. */
export function unsupportedReason(
  node: OnnxNode,
  { attributes, inputs }: { attributes: readonly string[]; inputs: number },
): string | undefined {
  const attribute = [...node.attributes.keys()].find((name) => !attributes.includes(name));
  if (attribute !== undefined) return `its attribute ${attribute} is not known`;
  const extra = node.inputs.findIndex((name, i) => i >= inputs && name !== "");
  return extra < 0 ? undefined : `its input ${extra} is not known`;
}

/** Element types of queries that can be decomposed: float32, float16, bfloat16. */
export const floatTypes: readonly number[] = [1, 10, 16];

export const integerAttribute = ({ attributes }: OnnxNode, name: string): number | undefined =>
  attributes.get(name)?.integer;
export const floatAttribute = ({ attributes }: OnnxNode, name: string): number | undefined =>
  attributes.get(name)?.float;

/** The scale of Microsoft's operators, where 0 stands for the default 1/√D. */
export const scaleAttribute = (node: OnnxNode): number | undefined =>
  floatAttribute(node, "scale") || undefined;

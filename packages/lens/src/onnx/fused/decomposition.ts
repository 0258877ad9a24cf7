import type { OnnxGraph } from "../onnx-graph.js";
import type { AxisLength, OnnxNode } from "../read-messages.js";
import type { NodeComposer } from "./node-composer.js";

/** A fused operator as ONNX's own operators. */
export type Decomposition = {
  /** The value that has the weights, `[B, H, T, S]`. */
  weights: string;
  /** Its shape, as far as it is known. */
  shape: readonly AxisLength[];
};

/** Decomposes a node: adds nodes that give its outputs and its weights. A text is the reason for which it cannot. */
export type DecomposeNode = (node: OnnxNode, graph: OnnxGraph, c: NodeComposer) => Decomposition | string;

/** The inputs and outputs of a node by name; one that is not given is undefined. */
export function byName<const Names extends readonly string[]>(
  values: readonly string[],
  names: Names,
): { [name in Names[number]]: string | undefined } {
  return Object.fromEntries(names.map((name, i) => [name, values[i] || undefined])) as never;
}

/** The reason for which a node is not decomposed: an attribute or an input that is not known here. */
export function unknownPart(
  node: OnnxNode,
  { attributes, inputs }: { attributes: readonly string[]; inputs: number },
): string | undefined {
  const attribute = [...node.attributes.keys()].find((name) => !attributes.includes(name));
  if (attribute !== undefined) return `its attribute ${attribute} is not known`;
  const extra = node.inputs.findIndex((name, i) => i >= inputs && name !== "");
  return extra < 0 ? undefined : `its input ${extra} is not known`;
}

/** Element types that attention is computed in. */
export const floats: readonly number[] = [1, 10, 16];

export const integerOf = ({ attributes }: OnnxNode, name: string): number | undefined =>
  attributes.get(name)?.integer;
export const floatOf = ({ attributes }: OnnxNode, name: string): number | undefined =>
  attributes.get(name)?.float;

/** Microsoft's operators write 0 for the default scale. */
export const scaleOf = (node: OnnxNode): number | undefined => floatOf(node, "scale") || undefined;

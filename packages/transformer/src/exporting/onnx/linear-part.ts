import type { LinearParams } from "@qkv/attention";
import { asItIs, turned } from "../written-tensor.js";
import type { OnnxGraph } from "./onnx-graph.js";

/** A map: `x Wᵀ + b`. Files hold Wᵀ. */
export function linearPart(g: OnnxGraph, path: string, x: string, { weight, bias }: LinearParams): string {
  const y = g.op("MatMul", [x, g.weight(turned(`${path}.weight`, [weight]))]);
  return bias ? g.op("Add", [y, g.weight(asItIs(`${path}.bias`, bias))]) : y;
}

import type { Activation } from "../../layers/activation.js";
import type { OnnxGraph } from "./onnx-graph.js";
import { unsupportedInOnnx } from "./unsupported-in-onnx.js";

/** Activation function of a feed-forward layer. */
export function activationSubgraph(g: OnnxGraph, activation: Activation, x: string): string {
  switch (activation) {
    case "silu":
      return g.op("Mul", [x, g.op("Sigmoid", [x])]);
    case "relu":
      return g.op("Relu", [x]);
    case "reluSquared": {
      const positive = g.op("Relu", [x]);
      return g.op("Mul", [positive, positive]);
    }
    case "quickGelu":
      return g.op("Mul", [x, g.op("Sigmoid", [g.op("Mul", [x, g.scalar(1.702)])])]);
    case "xielu":
      throw unsupportedInOnnx("config.activation", activation, "an activation without params");
    case "tanh":
      return g.op("Tanh", [x]);
    case "gelu":
      if (g.operators === "standard") return g.op("Gelu", [x]);
      return halfPlus(g, x, g.op("Erf", [g.op("Mul", [x, g.scalar(Math.SQRT1_2)])]));
    case "geluTanh": {
      if (g.operators === "standard") return g.op("Gelu", [x], { approximate: "tanh" });
      const cube = g.op("Mul", [g.op("Mul", [x, x]), x]);
      const inner = g.op("Add", [x, g.op("Mul", [cube, g.scalar(0.044715)])]);
      return halfPlus(g, x, g.op("Tanh", [g.op("Mul", [inner, g.scalar(Math.sqrt(2 / Math.PI))])]));
    }
  }
}

/** `x/2 · (1 + y)` */
function halfPlus(g: OnnxGraph, x: string, y: string): string {
  return g.op("Mul", [g.op("Mul", [x, g.scalar(0.5)]), g.op("Add", [y, g.scalar(1)])]);
}

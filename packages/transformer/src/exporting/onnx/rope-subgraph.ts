import { linearScaling } from "@qkv/attention";
import { tensor } from "@qkv/tensor";
import type { DecoderConfig } from "../../models/decoder-config.js";
import { ropeScalingFromConfig } from "../../models/rope-from-config.js";
import { decoderHeadDim } from "../hugging-face-decoder.js";
import { unsupportedInOnnx } from "./unsupported-in-onnx.js";
import type { OnnxGraph } from "./onnx-graph.js";

/** Rotates queries or keys `[B, T, heads · D]` by the positions of their tokens. */
export type RopeSubgraph = (x: string, heads: number) => string;

/** Base of a rotary embedding, and true if the scaling of the configuration applies. */
export type RotaryConfig = { base: number; scaled: boolean };

/**
 * A rotary embedding. Cosines and sines are looked up in tables with a row for each position of the context. They are
 * computed in float64 and rounded once, as in @qkv/attention.
 *
 * @param positionIds - Positions of the tokens, `[B, T]` int64.
 */
export function ropeSubgraph(
  g: OnnxGraph,
  config: DecoderConfig,
  { base, scaled }: RotaryConfig,
  positionIds: string,
): RopeSubgraph {
  const D = config.latent?.ropeDim ?? decoderHeadDim(config);
  const rotaryDim = decoderRotaryDim(config);
  const [cos, sin] = angles(g, config, { base, scaled }, positionIds); // [B, T, rotaryDim / 2]
  const interleaved = config.ropeLayout === "interleaved";
  if (g.operators === "standard") {
    return (x, heads) => {
      const isPartial = rotaryDim !== D;
      return g.op("RotaryEmbedding", [x, cos, sin], {
        interleaved: interleaved ? 1 : 0,
        num_heads: heads,
        ...(isPartial && { rotary_embedding_dim: rotaryDim }),
      });
    };
  }
  const half = rotaryDim / 2;
  // Axes for heads and, with the interleaved layout, for the two elements of a pair.
  const addAxes = (x: string) => g.op("Unsqueeze", [x, interleaved ? g.list(2, 4) : g.list(2)]);
  const [c, s] = [addAxes(cos), addAxes(sin)];
  return (x, heads) => {
    const rows = g.op("Reshape", [x, g.list(0, 0, heads, D)]);
    const [rotary, ...unrotated] =
      rotaryDim === D ? [rows] : g.ops("Split", [rows, g.list(rotaryDim, D - rotaryDim)], 2, { axis: -1 });
    const pairs = interleaved ? g.op("Reshape", [rotary!, g.list(0, 0, 0, half, 2)]) : rotary!;
    const sizes = interleaved ? g.list(1, 1) : g.list(half, half);
    const [a, b] = g.ops("Split", [pairs, sizes], 2, { axis: -1 }) as [string, string];
    const mul = (x: string, y: string) => g.op("Mul", [x, y]);
    const rotated = g.op(
      "Concat",
      [g.op("Sub", [mul(a, c), mul(b, s)]), g.op("Add", [mul(b, c), mul(a, s)])],
      { axis: -1 },
    );
    const flat = interleaved ? g.op("Reshape", [rotated, g.list(0, 0, 0, rotaryDim)]) : rotated;
    const allDims = unrotated.length > 0 ? g.op("Concat", [flat, ...unrotated], { axis: -1 }) : flat;
    return g.op("Reshape", [allDims, g.list(0, 0, heads * D)]);
  };
}

/** Number of rotated dimensions of a head; in latent attention, of its rotary part. */
const decoderRotaryDim = (config: DecoderConfig) =>
  config.latent?.ropeDim ?? config.ropeDim ?? decoderHeadDim(config);

/** Cosines and sines at the positions of the tokens. */
function angles(
  g: OnnxGraph,
  config: DecoderConfig,
  { base, scaled }: RotaryConfig,
  positionIds: string,
): [string, string] {
  const scaling = scaled ? config.ropeScaling : undefined;
  if (scaling?.type === "dynamic") {
    throw unsupportedInOnnx(
      "config.ropeScaling.type",
      scaling.type,
      "linear, yarn, llama3, longrope, or none: angles that do not change from length to length",
    );
  }
  const rotaryDim = decoderRotaryDim(config);
  const ropeScaling = scaling ? ropeScalingFromConfig(scaling) : linearScaling(1);
  const tables = (length: number, name: string): [string, string] => {
    const { frequencies, attentionFactor } = ropeScaling.rotaryFrequencies({ base, rotaryDim, length });
    const half = frequencies.length;
    const table = (fn: "cos" | "sin") => {
      const rows = (first: number, end: number) =>
        tensor(
          Float32Array.from(
            { length: (end - first) * half },
            (_, i) => attentionFactor * Math[fn]((first + Math.floor(i / half)) * frequencies[i % half]!),
          ),
          { shape: [end - first, half] },
        );
      const weight = { name: `${name}.${fn}`, shape: [config.contextLength, half], rows };
      return g.op("Gather", [g.weight(weight, { full: true }), positionIds], { axis: 0 });
    };
    return [table("cos"), table("sin")];
  };
  const name = `rope.${base}${scaled ? "" : ".plain"}`;
  if (scaling?.type !== "longrope") return tables(1, name);
  // LongRoPE: short factors up to the original context length, long factors beyond it, chosen per sequence.
  const largest =
    g.operators === "standard"
      ? g.op("ReduceMax", [positionIds, g.list(1)], { keepdims: 1 })
      : g.op("ReduceMax", [positionIds], { axes: [1], keepdims: 1 }); // [B, 1]
  const isBeyond = g.op("GreaterOrEqual", [largest, g.integer(scaling.originalLength)]);
  const isLong = g.op("Unsqueeze", [isBeyond, g.list(2)]); // [B, 1, 1]
  const [short, long] = [tables(1, `${name}.short`), tables(scaling.originalLength + 1, `${name}.long`)];
  const chosen = (i: 0 | 1) => g.op("Where", [isLong, long[i], short[i]]);
  return [chosen(0), chosen(1)];
}

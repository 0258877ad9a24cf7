import { refuse } from "@qkv/core";
import { runAll, type AttentionRequest, type Op, type Spec } from "@qkv/tensor";
import { sizesOf, sortInputs } from "@qkv/tensor/key-values";
import { pairsRead } from "@qkv/tensor/tile-plan";
import { attentionBackward } from "./attention-backward.js";
import { attentionForward } from "./attention-forward.js";
import type { TileTrace } from "./score-tile.js";

/** The attributes of a call, and the traces that are asked for. */
export type AttentionCall = AttentionRequest & { readonly want: readonly TileTrace[] };

/**
 * The one fused operation. Inputs: query, key parts, value parts, the tables that expressions look up, sinks,
 * and the scales of parts in blocks.
 * Outputs: the mixture `[B, H, T, Dv]`, the logarithm of the sum `[B, H, T]`, and the traces.
 */
export const attentionOp: Op<AttentionCall> = {
  name: "attention",
  infer(inputs, call) {
    const [B, H, T] = inputs[0]!.shape as [number, number, number];
    const { dtype } = inputs[0]!;
    const sorted = sortInputs(inputs, call);
    const { S } = sizesOf(sorted);
    const traced = call.want.map((): Spec => ({ shape: [B, H, T, S], dtype }));
    return [{ shape: [B, H, T, sorted.values[0]!.shape[3]!], dtype }, { shape: [B, H, T], dtype }, ...traced];
  },
  flops(inputs, _outputs, call) {
    // Per pair: a dot product, a mixed row, and about five for softmax.
    const { B, H, T, S, D, Dv } = sizesOf(sortInputs(inputs, call));
    return pairsRead(call.plan, B, H, T, S) * (2 * D + 2 * Dv + 5);
  },
  kernel(inputs, [output, lse, ...traces], call) {
    const named = call.want.map((name, i) => ({ name, view: traces[i]! }));
    attentionForward(sortInputs(inputs, call), call, output!, lse!, named);
  },
  backward({ inputs, outputs, attributes, gradients }) {
    if (attributes.layouts) {
      refuse(
        "attention",
        "gradient",
        "asked for through keys or values in blocks",
        "keys and values as tensors: what a cache holds in pages has no gradient",
        "train without a cache, or with one that holds tensors.",
      );
    }
    const [output, lse] = outputs;
    const arrived = gradients
      .map((gradient, i) => ({ gradient, i }))
      .filter(({ gradient }) => gradient !== undefined);
    return runAll(
      attentionBackwardOp,
      [...inputs, output!, lse!, ...arrived.map(({ gradient }) => gradient!)],
      {
        ...attributes,
        inputs: inputs.length,
        arrived: arrived.map(({ i }) => i),
      },
    );
  },
};

type BackwardCall = AttentionCall & {
  /** How many inputs the forward call had. After them come its output, its lse, and the gradients that arrived. */
  readonly inputs: number;
  /** Which outputs of the forward call the gradients belong to. */
  readonly arrived: readonly number[];
};

export const attentionBackwardOp: Op<BackwardCall> = {
  name: "attentionBackward",
  infer: (inputs, call) => inputs.slice(0, call.inputs).map(({ shape, dtype }) => ({ shape, dtype })),
  flops(inputs, _outputs, call) {
    // The scores again, and four products of the forward pass's size.
    const { B, H, T, S, D, Dv } = sizesOf(sortInputs(inputs.slice(0, call.inputs), call));
    return pairsRead(call.plan, B, H, T, S) * (6 * D + 4 * Dv + 10);
  },
  kernel(inputs, outputs, call) {
    const [output, lse, ...gradients] = inputs.slice(call.inputs);
    const of = (index: number) => gradients[call.arrived.indexOf(index)];
    attentionBackward(
      sortInputs(inputs.slice(0, call.inputs), call),
      call,
      { output: output!, lse: lse! },
      {
        output: of(0),
        lse: of(1),
        traces: call.want.flatMap((name, i) => (of(2 + i) ? [{ name, view: of(2 + i)! }] : [])),
      },
      sortInputs(outputs, call),
    );
  },
  backward() {
    refuse(
      "attention",
      "gradient",
      "asked for a second time",
      "one gradient: the tiled backward has no derivative of its own",
      "use `plainAttention` where gradients of gradients are taken; it holds all scores.",
    );
  },
};

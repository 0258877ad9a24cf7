import { checks } from "@qkv/core";
import { type AttentionRequest, sizesOf, sortInputs, pairsRead } from "@qkv/attention-contract";
import { contiguous, runAll, type Op, type Tensor, type View } from "@qkv/tensor";
import { attentionBackward } from "./attention-backward.js";
import { attentionForward } from "./attention-forward.js";
import type { TileTrace } from "./score-tiles.js";

/** The attributes of a call, and the traces that are asked for. */
export type AttentionCall = AttentionRequest & { readonly want: readonly TileTrace[] };

/**
 * The one fused operation. Inputs: query, key parts, value parts, the packed tables that expressions look up, sinks,
 * and the scales of parts in blocks.
 * Outputs: the mixture `[B, H, T, Dv]`, the logarithm of the sum `[B, H, T]`, and the traces.
 */
export const attentionOp: Op<AttentionCall> = {
  name: "attention",
  infer(inputs, call) {
    const { dtype } = inputs[0]!;
    const [B, H, T] = inputs[0]!.shape as [number, number, number, number];
    const of = (...shape: number[]) => ({ shape, dtype });
    return [
      of(B, H, T, inputs[1 + call.parts]!.shape[3]!),
      of(B, H, T),
      ...call.want.map(() => of(B, H, T, sizesOf(sortInputs(inputs, call)).S)),
    ];
  },
  // Per pair: a dot product, a mixed row, and about five for softmax.
  flops: (inputs, _outputs, call) => flopsOf(inputs, call, 2, 2, 5),
  kernel(inputs, outputs, call) {
    attentionForward(sortInputs(inputs, call), call, outputs);
  },
  backward({ inputs, outputs, attributes, gradients }) {
    if (attributes.layouts) {
      checks("attention").refuse({
        argument: "gradient",
        received: "asked for through keys or values in blocks",
        expected: "keys and values as tensors: what a cache holds in pages has no gradient",
        fix: "train without a cache, or with one that holds tensors.",
      });
    }
    const arrived = [...gradients.keys()].filter((i) => gradients[i]);
    const reached = arrived.map((i) => contiguous(gradients[i]!));
    return runAll(attentionBackwardOp, [...inputs, ...outputs.slice(0, 2), ...reached], {
      ...attributes,
      inputs: inputs.length,
      arrived,
    });
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
  infer: (inputs, call) => inputs.slice(0, call.inputs),
  // The scores again, and four products of the forward pass's size.
  flops: (inputs, _outputs, call) => flopsOf(inputs.slice(0, call.inputs), call, 6, 4, 10),
  kernel(inputs, outputs, call) {
    const [output, lse, ...gradients] = inputs.slice(call.inputs);
    const from: (View | undefined)[] = [];
    call.arrived.forEach((place, i) => (from[place] = gradients[i]));
    attentionBackward(
      sortInputs(inputs.slice(0, call.inputs), call),
      call,
      [output!, lse!],
      from,
      sortInputs(outputs, call),
    );
  },
  backward() {
    return checks("attention").refuse({
      argument: "gradient",
      received: "asked for a second time",
      expected: "one gradient: the tiled backward has no derivative of its own",
      fix: "use `plainAttention` where gradients of gradients are taken; it holds all scores.",
    });
  },
};

/** So many for each pair of query and key that is read and number of a key, number of a value, and once. */
function flopsOf(
  inputs: readonly Tensor[],
  call: AttentionRequest,
  perKey: number,
  perValue: number,
  once: number,
): number {
  const { B, H, T, S, D, Dv } = sizesOf(sortInputs(inputs, call));
  return pairsRead(call.plan, B, H, T, S) * (perKey * D + perValue * Dv + once);
}

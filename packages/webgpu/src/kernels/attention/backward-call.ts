import type { AttentionCall } from "@qkv/attention-contract";
import type { GpuBuffer } from "../../buffers.js";
import type { Context } from "../../context.js";
import type { OutputGradients } from "./backward-text.js";
import type { CallLayout } from "./call-layout.js";
import { queryBlockFlops } from "./unit-ranges.js";
import { recordUnits } from "./record-forward.js";

/** A backward call with its layout for the kernels. */
export type Backward = {
  readonly context: Context;
  readonly call: AttentionCall;
  readonly layout: CallLayout;
  /** The words of the call, which include the state of each row. */
  readonly words: GpuBuffer;
  readonly outputGradients: OutputGradients;
};

/** Part of a shader's key: the outputs that have gradients. */
export const outputGradientsKey = ({ output, traces }: OutputGradients) =>
  `${output}:${[...traces].sort().join()}`;

/** Records a pass over blocks of queries. */
export function recordQueryPass(
  { context, call, layout }: Backward,
  name: string,
  text: () => string,
  reads: readonly GpuBuffer[],
  writes: readonly GpuBuffer[],
  perPair: number,
): void {
  recordUnits(context, queryBlockFlops(call.plan, layout.plan, layout.sizes, perPair), {
    key: `attentionBackward:${name}:${layout.key}`,
    text,
    reads,
    writes,
    params: layout.params,
  });
}

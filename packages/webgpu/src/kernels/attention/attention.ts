import type { AttentionCall, AttentionOutputs, TraceName } from "@qkv/attention-contract";
import { sizeOf, type Tensor } from "@qkv/tensor";
import type { GpuBuffer } from "../../buffers.js";
import type { Context } from "../../context.js";
import { gridFor, threads } from "../../wgsl/grid.js";
import { isSupportedCall, withLayout, type CallLayout, type TensorAccess } from "./call-layout.js";
import { decode, isDecoding } from "./decode.js";
import type { RowStats } from "./row-stats.js";
import { tracesText } from "./traces-text.js";
import { recordForward } from "./record-forward.js";

/**
 * Attention with an online softmax over the tiles that are not masked, as in FlashAttention: queries and keys are loaded into
 * workgroup memory, and weights are never stored in GPU memory. `weightMod` requires a second pass, and so does each trace.
 * With few queries (decoding), the keys are split over workgroups.
 */
export function attentionKernel(context: Context, access: TensorAccess<Tensor>, rowStats: RowStats) {
  return (call: AttentionCall, outputs: AttentionOutputs): boolean => {
    if (!isSupportedCall(call)) return false;
    if (isDecoding(call)) {
      decode(context, access, call, outputs);
      return true;
    }
    return withLayout(context, access, call, (layout) => {
      const lse = rowStats.write(context, outputs.lse);
      recordForward(context, call, layout, outputs, lse);
      for (const name of call.traces) {
        const trace = name === "lse" ? undefined : outputs[name];
        if (trace)
          writeTrace(context, layout, name as Exclude<TraceName, "lse">, context.store.write(trace), lse);
      }
    });
  };
}

function writeTrace(
  { engine, store }: Context,
  layout: CallLayout,
  name: Exclude<TraceName, "lse">,
  trace: GpuBuffer,
  lse: GpuBuffer,
): void {
  const { B, H, T, S } = layout.sizes;
  const pairs = sizeOf([B, H, T, S]);
  engine.record({
    op: store.op,
    key: `attention:${name}:${layout.key}`,
    text: () => tracesText(layout, name),
    reads: [...layout.reads, ...(name === "weights" ? [lse] : [])],
    writes: [trace],
    params: layout.params,
    groups: gridFor(Math.ceil(pairs / threads)),
  });
}

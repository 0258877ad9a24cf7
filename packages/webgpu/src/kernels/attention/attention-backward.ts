import {
  isPaged,
  type AttentionCall,
  type AttentionGradients,
  type AttentionSaved,
  type KeyValueSegment,
} from "@qkv/attention-contract";
import type { Tensor, View } from "@qkv/tensor";
import type { GpuBuffer } from "../../buffers.js";
import type { Context } from "../../context.js";
import { gridFor, threads } from "../../wgsl/grid.js";
import { copyInto } from "../copy-into.js";
import { contiguousStrides, viewAs } from "../contiguous.js";
import { outputGradientsKey, recordQueryPass, type Backward } from "./backward-call.js";
import {
  inOnePass,
  keyGradientText,
  queryGradientText,
  rowSumText,
  stateWords,
  type OutputGradients,
} from "./backward-text.js";
import { withLayout, type CallLayout, type TensorAccess } from "./call-layout.js";
import { rowStateText, sinkGradientText } from "./row-state-text.js";
import type { RowStats } from "./row-stats.js";
import { tableGradients } from "./table-gradients.js";
import { keyBlockFlops } from "./unit-ranges.js";
import { recordUnits, recordForwardPass } from "./record-forward.js";

/**
 * The gradient of attention as in FlashAttention-2, without atomics: one pass over the keys that each block of queries sees,
 * for the gradient of the queries, and one over the queries (of all heads of the group) that see each block of keys, for the
 * gradients of keys and values. Weights are recomputed from the largest score and 1 / sum of each row.
 *
 * @see "FlashAttention-2" (2023), arXiv:2307.08691, section 3.1
 */
export function attentionBackwardKernel(context: Context, access: TensorAccess<Tensor>, rowStats: RowStats) {
  return (
    call: AttentionCall,
    { output, lse }: AttentionSaved,
    { output: dOutput, lse: dLse, ...dTraces }: AttentionGradients,
    to: AttentionCall,
  ): boolean => {
    const segments = [...to.keyValues.key, ...to.keyValues.value];
    if (segments.some(isPaged)) return false;
    const copied = Object.fromEntries(
      Object.entries(dTraces).map(([name, gradient]) => [`${name}At`, gradient]),
    );
    const outputGradients = { output: !!dOutput, traces: new Set(Object.keys(dTraces)) } as OutputGradients;
    const run = (layout: CallLayout, words: GpuBuffer) => {
      const { engine, store } = context;
      const { rows } = layout;
      // If no forward call of this device computed this lse, the statistics of the rows are recomputed.
      const storedStats = rowStats.read(lse);
      const stats = storedStats ?? engine.buffers.allocate(store.op, 12 * rows);
      try {
        if (!storedStats) recordForwardPass(context, call, layout, "stats", [], [stats]);
        const backward: Backward = { context, call, layout, words, outputGradients };
        writeState(backward, stats, output, dOutput, dLse);
        writeQueryGradient(backward, to.query);
        writeKeyGradients(backward, to.keyValues);
        tableGradients(backward, to);
        if (to.sinks) {
          const { H } = layout.sizes;
          engine.record({
            op: store.op,
            key: `attentionBackward:sinks:${layout.key}`,
            text: () => sinkGradientText(layout),
            reads: [words],
            writes: [store.write(to.sinks)],
            params: layout.params,
            groups: gridFor(H),
          });
        }
      } finally {
        if (!storedStats) engine.buffers.free(stats);
      }
    };
    return withLayout(context, access, call, run, { dOutput, copied, stateWords });
  };
}

/** Computes the state of each row, which the passes read. */
function writeState(
  backward: Backward,
  stats: GpuBuffer,
  output: Tensor,
  dOutput: Tensor | undefined,
  dLse: Tensor | undefined,
): void {
  const { context, layout, words, outputGradients } = backward;
  const { engine, store } = context;
  const { D, Dv } = layout.sizes;
  const walks = !!layout.weightMod || outputGradients.traces.has("weights");
  const products = walks ? undefined : dOutput;
  const params = layout.params
    .with({})
    .u32("outputAt", output.offset)
    .u32("dLseAt", dLse?.offset ?? 0);
  engine.record({
    op: store.op,
    key: `attentionBackward:state:${!!products}:${!!dLse}:${layout.key}`,
    text: () => rowStateText(layout, params, { dOutput: !!products, dLse: !!dLse }),
    reads: [
      stats,
      ...(products ? [store.read(output), store.read(products)] : []),
      ...(dLse ? [store.read(dLse)] : []),
    ],
    writes: [words],
    params,
    groups: gridFor(Math.ceil(layout.rows / threads)),
  });
  if (!walks) return;
  const reads = layout.reads.filter((buffer) => buffer !== words);
  const text = () => rowSumText(layout, outputGradients);
  recordQueryPass(
    backward,
    `rowSum:${outputGradientsKey(outputGradients)}`,
    text,
    reads,
    [words],
    2 * D + 2 * Dv + 10,
  );
}

function writeQueryGradient(backward: Backward, dQuery: Tensor): void {
  const { context, layout, outputGradients } = backward;
  const { D, Dv } = layout.sizes;
  const text = () => queryGradientText(layout, outputGradients);
  const writes = [context.store.write(dQuery)];
  recordQueryPass(
    backward,
    `query:${outputGradientsKey(outputGradients)}`,
    text,
    layout.reads,
    writes,
    4 * D + 2 * Dv + 10,
  );
}

function writeKeyGradients(backward: Backward, { key, value }: AttentionCall["keyValues"]): void {
  const { context, call, layout, outputGradients } = backward;
  const { B, Hkv, S, D, Dv } = layout.sizes;
  const passes = inOnePass(layout.sizes)
    ? [{ keys: true, values: true }]
    : [
        { keys: true, values: false },
        { keys: false, values: true },
      ];
  withRows(context, key, [B, Hkv, S, D], (dKey) =>
    withRows(context, value, [B, Hkv, S, Dv], (dValue) => {
      for (const of of passes) {
        const perPair = 2 * D + (of.keys ? 2 * Dv + 2 * D : 0) + (of.values ? 2 * Dv : 0) + 10;
        recordUnits(context, keyBlockFlops(call.plan, layout.plan, layout.sizes, perPair), {
          key: `attentionBackward:keys:${of.keys}:${of.values}:${outputGradientsKey(outputGradients)}:${layout.key}`,
          text: () => keyGradientText(layout, outputGradients, of),
          reads: layout.reads,
          writes: [...(of.keys ? [dKey] : []), ...(of.values ? [dValue] : [])],
          params: layout.params,
        });
      }
    }),
  );
}

/** Runs `f` with a buffer for the gradients of all rows, which are then copied to the gradients of the segments. */
function withRows(
  context: Context,
  segments: readonly KeyValueSegment[],
  shape: readonly number[],
  f: (buffer: GpuBuffer) => void,
): void {
  const { store } = context;
  const parts = segments as readonly Tensor[];
  if (parts.length === 1) return f(store.write(parts[0]!));
  const strides = contiguousStrides(shape);
  const storage = store.make("float32", strides[0]! * shape[0]!, undefined);
  try {
    f(store.write({ storage }));
    let start = 0;
    for (const part of parts) {
      const rows = viewAs(part as unknown as View, { storage, strides, offset: start * strides[2]! });
      copyInto(context, store.op, rows, store.write(part), {
        strides: contiguousStrides(part.shape),
        offset: 0,
      });
      start += part.shape[2]!;
    }
  } finally {
    store.release(storage);
  }
}

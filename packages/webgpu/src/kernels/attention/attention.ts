import type { AttentionCall, AttentionOutputs, TraceName } from "@qkv/attention-contract";
import { sizeOf } from "@qkv/tensor";
import type { Context } from "../../context.js";
import { gridOf, threads } from "../../wgsl/grid.js";
import { isForShaders, withLayout, type CallLayout } from "./call-layout.js";
import { decode, isDecoding } from "./decode.js";
import { blockSize, forwardText } from "./forward-text.js";
import type { Plans } from "./plan-words.js";
import { tracesText } from "./traces-text.js";

/**
 * Attention with an online softmax over the tiles that the plan shows: queries and keys in workgroup memory, weights never
 * in the GPU's. A weight that is modified after the softmax takes a second walk, and so does each trace. Few queries split
 * their keys over workgroups instead.
 */
export function attentionKernel(context: Context, plans: Plans) {
  return (call: AttentionCall, outputs: AttentionOutputs): boolean => {
    if (!isForShaders(call)) return false;
    if (isDecoding(call)) {
      decode(context, plans, call, outputs);
      return true;
    }
    return withLayout(context, plans, call, (layout) => {
      const { store } = context;
      const { output, lse } = outputs;
      const lseBuffer = store.write(lse);
      if (layout.weightMod) {
        withStats(context, layout, lseBuffer, (stats) =>
          run(context, layout, "mix", [stats], [store.write(output)]),
        );
      } else run(context, layout, "online", [], [store.write(output), lseBuffer]);
      for (const name of call.want) {
        const trace = name === "lse" ? undefined : outputs[name];
        if (trace)
          writeTrace(context, layout, name as Exclude<TraceName, "lse">, store.write(trace), lseBuffer);
      }
    });
  };
}

type Buffer = ReturnType<Context["store"]["read"]>;

/** Runs `f` with the largest score and 1 / sum of each row, and writes lse. */
export function withStats(
  context: Context,
  layout: CallLayout,
  lse: Buffer,
  f: (stats: Buffer) => void,
): void {
  const { engine, store } = context;
  const { B, H, T } = layout.sizes;
  const stats = engine.buffers.allocate(store.op, 8 * B * H * T);
  try {
    run(context, layout, "stats", [], [lse, stats]);
    f(stats);
  } finally {
    engine.buffers.free(stats);
  }
}

function run(
  { engine, store }: Context,
  layout: CallLayout,
  mode: "online" | "stats" | "mix",
  more: readonly Buffer[],
  writes: readonly Buffer[],
): void {
  const { B, H, T } = layout.sizes;
  engine.record({
    op: store.op,
    key: `attention:${mode}:${layout.key}`,
    text: () => forwardText(layout, mode),
    reads: [...layout.reads, ...more],
    writes,
    params: layout.params,
    groups: [Math.ceil(T / blockSize), H, B],
  });
}

function writeTrace(
  { engine, store }: Context,
  layout: CallLayout,
  name: Exclude<TraceName, "lse">,
  trace: Buffer,
  lse: Buffer,
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
    groups: gridOf(Math.ceil(pairs / threads)),
  });
}

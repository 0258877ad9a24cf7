import type { AttentionCall, AttentionOutputs, TraceName } from "@qkv/attention-contract";
import { sizeOf } from "@qkv/tensor";
import type { Context } from "../../context.js";
import type { Dispatch } from "../../engine.js";
import { gridOf, threads } from "../../wgsl/grid.js";
import { isForShaders, withLayout, type CallLayout } from "./call-layout.js";
import { decode, isDecoding } from "./decode.js";
import { forwardText } from "./forward-text.js";
import type { Plans } from "./plan-words.js";
import type { RowStats } from "./row-stats.js";
import { tracesText } from "./traces-text.js";
import { queryBlockFlops, unitRanges } from "./unit-ranges.js";

/**
 * Attention with an online softmax over the tiles that the plan shows: queries and keys in workgroup memory, weights never
 * in the GPU's. A weight that is modified after the softmax takes a second walk, and so does each trace. Few queries split
 * their keys over workgroups instead.
 */
export function attentionKernel(context: Context, plans: Plans, rowStats: RowStats) {
  return (call: AttentionCall, outputs: AttentionOutputs): boolean => {
    if (!isForShaders(call)) return false;
    if (isDecoding(call)) {
      decode(context, plans, call, outputs);
      return true;
    }
    return withLayout(context, plans, call, (layout) => {
      const { store } = context;
      const { output, lse } = outputs;
      const lseBuffer = rowStats.write(context, lse);
      if (layout.weightMod) {
        walkKeys(context, call, layout, "stats", [], [lseBuffer]);
        walkKeys(context, call, layout, "mix", [lseBuffer], [store.write(output)]);
      } else walkKeys(context, call, layout, "online", [], [store.write(output), lseBuffer]);
      for (const name of call.want) {
        const trace = name === "lse" ? undefined : outputs[name];
        if (trace)
          writeTrace(context, layout, name as Exclude<TraceName, "lse">, store.write(trace), lseBuffer);
      }
    });
  };
}

type Buffer = ReturnType<Context["store"]["read"]>;

/** Runs a form of the forward kernel, cut into dispatches that do not take long. */
export function walkKeys(
  context: Context,
  { plan }: Pick<AttentionCall, "plan">,
  layout: CallLayout,
  mode: "online" | "stats" | "mix",
  more: readonly Buffer[],
  writes: readonly Buffer[],
): void {
  const { D, Dv } = layout.sizes;
  const work = queryBlockFlops(plan, layout.plan, layout.sizes, 2 * D + (mode === "stats" ? 0 : 2 * Dv) + 5);
  recordUnits(context, work, {
    key: `attention:${mode}:${layout.key}`,
    text: () => forwardText(layout, mode),
    reads: [...layout.reads, ...more],
    writes,
    params: layout.params,
  });
}

/** Records a kernel over blocks of rows: at once, or in dispatches of at most so many FLOPs each. */
export function recordUnits(
  { engine, store }: Context,
  { units, flopsOf, largest }: ReturnType<typeof queryBlockFlops>,
  dispatch: Omit<Dispatch, "op" | "groups">,
): void {
  const ranges = unitRanges(units, flopsOf, largest, engine.mostFlops);
  for (const [firstUnit, endUnit] of ranges) {
    const params = dispatch.params.with({ firstUnit, endUnit });
    engine.record({ ...dispatch, op: store.op, params, groups: gridOf(endUnit - firstUnit) });
    // A long dispatch is a submission of its own: browsers end submissions that run for seconds.
    if (ranges.length > 1) engine.submit();
  }
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

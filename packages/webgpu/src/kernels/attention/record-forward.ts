import type { AttentionCall, AttentionOutputs } from "@qkv/attention-contract";
import type { GpuBuffer } from "../../buffers.js";
import type { ForwardContext } from "../../context.js";
import type { Dispatch } from "../../engine.js";
import type { ViewLayout } from "../../store.js";
import { gridFor } from "../../wgsl/grid.js";
import type { CallLayout } from "./call-layout.js";
import { forwardText } from "./forward-text.js";
import { queryBlockFlops, unitRanges } from "./unit-ranges.js";

/**
 * Records the kernels for output and lse of a call: one pass over the keys, or two with `weightMod`.
 *
 * @param lse - Buffer for lse, with room for the largest score and 1 / sum of each row after it.
 */
export function recordForward(
  context: ForwardContext,
  call: Pick<AttentionCall, "plan">,
  layout: CallLayout,
  { output }: Pick<AttentionOutputs<ViewLayout>, "output">,
  lse: GpuBuffer,
): void {
  const written = () => context.store.write(output);
  if (layout.weightMod) {
    recordForwardPass(context, call, layout, "stats", [], [lse]);
    recordForwardPass(context, call, layout, "output", [lse], [written()]);
  } else recordForwardPass(context, call, layout, "online", [], [written(), lse]);
}

/** Runs the forward kernel in a mode, split into dispatches of limited duration. */
export function recordForwardPass(
  context: ForwardContext,
  { plan }: Pick<AttentionCall, "plan">,
  layout: CallLayout,
  mode: "online" | "stats" | "output",
  more: readonly GpuBuffer[],
  writes: readonly GpuBuffer[],
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

/** Records a kernel over blocks of rows, in one dispatch or in several of at most `engine.maxDispatchFlops` FLOPs. */
export function recordUnits(
  { engine, store }: ForwardContext,
  { units, flopsOf, largest }: ReturnType<typeof queryBlockFlops>,
  dispatch: Omit<Dispatch, "op" | "groups">,
): void {
  const ranges = unitRanges(units, flopsOf, largest, engine.maxDispatchFlops);
  for (const [firstUnit, endUnit] of ranges) {
    const params = dispatch.params.with({ firstUnit, endUnit });
    engine.record({ ...dispatch, op: store.op, params, groups: gridFor(endUnit - firstUnit) });
    // Each long dispatch is submitted alone: browsers abort submissions that run for seconds.
    if (ranges.length > 1) engine.submit();
  }
}

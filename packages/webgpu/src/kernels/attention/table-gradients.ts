import type { AttentionCall, Expression } from "@qkv/attention-contract";
import { sizeOf, type Kernel, type Tensor, type View } from "@qkv/tensor";
import type { Context } from "../../context.js";
import { gridFor } from "../../wgsl/grid.js";
import { map } from "../map.js";
import { contiguousStrides, viewAs } from "../contiguous.js";
import { reduceKernels } from "../reduce.js";
import { outputGradientsKey, type Backward } from "./backward-call.js";
import { blockSize } from "./block-text.js";
import { reachedLookups } from "./expression-gradient-text.js";
import { tableGradientText, type TableLookups } from "./table-gradient-text.js";
import { tableOwners } from "./table-owners.js";
import { queryBlockFlops } from "./unit-ranges.js";

/** Largest total length of the copies in which a table's gradient is accumulated. */
const maxNumbers = 2 ** 22;

/** Computes the gradients of the tables of expressions. */
export function tableGradients(backward: Backward, to: AttentionCall): void {
  for (const mod of ["scoreMod", "weightMod"] as const) {
    const program = backward.call[mod];
    program?.lookedUp.forEach((_, i) => writeTable(backward, mod, program, i, to[mod]!.tables[i]!));
  }
}

function writeTable(
  backward: Backward,
  mod: "scoreMod" | "weightMod",
  expression: Expression,
  index: number,
  gradient: Tensor,
): void {
  const { context, call, layout } = backward;
  const { sizes } = layout;
  const { B, H, T, D, Dv } = sizes;
  const { shape } = gradient;
  const numbers = sizeOf(shape);
  const view = gradient as unknown as View;
  const lookups = reachedLookups(expression, index);
  zero(context, view);
  if (lookups.length === 0 || numbers === 0) return;
  const owners = tableOwners(call, sizes, shape, lookups);
  const blocks = Math.ceil(T / blockSize);
  const [ownBlocks, restBlocks] = owners.query ? [blocks, 1] : [1, blocks];
  const [ownHeads, restHeads] = owners.head ? [H, 1] : [1, H];
  const [ownBatches, restBatches] = owners.batch ? [B, 1] : [1, B];
  const [workgroups, rest] = [ownBlocks * ownHeads * ownBatches, restBlocks * restHeads * restBatches];
  const copies = Math.max(1, Math.min(rest, Math.floor(maxNumbers / numbers)));
  const table: TableLookups = { mod, lookups, apart: owners.query && owners.key };
  withCopies(context, view, copies, (sums) => {
    const { engine, store } = context;
    const { largest } = queryBlockFlops(call.plan, layout.plan, sizes, 2 * D + 2 * Dv + 100);
    // Each dispatch runs a range of the workgroups, and each workgroup accumulates a range of the blocks.
    const steps = Math.max(
      1,
      Math.min(Math.ceil(rest / copies), Math.floor(engine.maxDispatchFlops / largest)),
    );
    const most = Math.max(1, Math.floor(engine.maxDispatchFlops / (largest * steps)));
    const units = workgroups * copies;
    const key = `attentionBackward:${mod}${index}:${table.apart}:${outputGradientsKey(backward.outputGradients)}:${layout.key}`;
    const cut = units > most || rest > steps * copies;
    for (let restFirst = 0; restFirst < rest; restFirst += steps * copies) {
      for (let firstUnit = 0; firstUnit < units; firstUnit += most) {
        const endUnit = Math.min(units, firstUnit + most);
        const params = layout.params
          .with({ firstUnit, endUnit })
          .u32("owners", workgroups)
          .u32("copies", copies)
          .u32("numbers", numbers)
          .u32("restFirst", restFirst)
          .u32("restEnd", Math.min(rest, restFirst + steps * copies))
          .u32("ownBlocks", ownBlocks)
          .u32("ownHeads", ownHeads)
          .u32("restBlocks", restBlocks)
          .u32("restHeads", restHeads);
        engine.record({
          op: store.op,
          key,
          text: () => tableGradientText({ ...layout, params }, backward.outputGradients, table),
          reads: layout.reads,
          writes: [store.write(sums)],
          params,
          groups: gridFor(endUnit - firstUnit),
        });
        if (cut) engine.submit();
      }
    }
  });
}

const zero = (context: Context, view: View) => map(context, "zeros", [], view, { body: "return 0.0;" });

/** Runs `f` with a number of zeroed copies of a view, and writes their sum to the view. */
function withCopies(context: Context, view: View, copies: number, f: (sums: View) => void): void {
  if (copies === 1) return f(view);
  const { store } = context;
  const shape = [copies, ...view.shape];
  const storage = store.make("float32", sizeOf(shape), undefined);
  try {
    const sums = viewAs(view, { storage, shape, strides: contiguousStrides(shape), offset: 0 });
    zero(context, sums);
    f(sums);
    const { sum } = reduceKernels(context) as { readonly sum: Kernel };
    sum([sums], [view], { axes: [0] } as never);
  } finally {
    store.release(storage);
  }
}

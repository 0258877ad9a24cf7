import { sizeOf, type Kernel, type View } from "@qkv/tensor";
import { refuse } from "@qkv/core";
import type { Context } from "../context.js";
import { Params } from "../params.js";
import { bindingsText, gridFor, mainText } from "../wgsl/grid.js";
import { withFunctions } from "../wgsl/numbers.js";
import { traversal } from "../wgsl/traversal.js";
import { foldText } from "../wgsl/workgroup.js";
import { firstInvalidIndex } from "./indices.js";
import { map } from "./map.js";
import { viewAs } from "./contiguous.js";

type Attributes = { readonly ignoreIndex: number; readonly smoothing: number };

const width = 64;

/** Cross-entropy of rows of logits [N, V] with target classes [N], and its gradient. */
export function crossEntropyKernels(context: Context): Record<string, Kernel<never>> {
  const { store } = context;
  const crossEntropy = (
    [logits, targets]: readonly View[],
    [losses, counts]: readonly View[],
    { ignoreIndex, smoothing }: Attributes,
  ): boolean => {
    if (logits!.dtype !== "float32") return false;
    const V = logits!.shape.at(-1)!;
    checkTargets(context, targets!, V, ignoreIndex);
    const rows = sizeOf(losses!.shape);
    const { engine } = context;
    const { subgroups } = engine;
    const fault = engine.faults("crossEntropy");
    const params = new Params().u32("rows", rows).u32("V", V).i32("ignored", ignoreIndex);
    params.f32("smoothing", smoothing).i32("step", logits!.strides.at(-1)!).u32("fault", fault.code);
    const offsets = traversal("crossEntropy", params, "row", losses!.shape, {
      first: { strides: logits!.strides.slice(0, -1), offset: logits!.offset },
      targetAt: targets!,
    });
    engine.record({
      op: "crossEntropy",
      key: `crossEntropy:${offsets.rank}`,
      text: () =>
        withFunctions(`${params.declaration}
${bindingsText({ logits: "f32", targets: "i32" }, { losses: "f32", counts: "f32", faults: "atomic<u32>" })}
${foldText("total", "f32", width, "a + b", subgroups)}
${foldText("most", "f32", width, "larger(a, b)", subgroups)}
${mainText(
  width,
  `  if (group >= p.rows) { return; }
  ${offsets.text("group")}
  let target_ = targets[u32(targetAt)];
  var partial = -infinity();
  for (var k = thread; k < p.V; k += ${width}u) { partial = larger(partial, logits[u32(first + i32(k) * p.step)]); }
  let top = most(partial, thread);
  var powers = 0.0;
  var distances = 0.0;
  for (var k = thread; k < p.V; k += ${width}u) {
    let x = logits[u32(first + i32(k) * p.step)] - top;
    powers += exp_(x);
    if (p.smoothing > 0.0) { distances += x; }
  }
  let allPowers = total(powers, thread);
  let allDistances = total(distances, thread);
  if (thread != 0u) { return; }
  if (target_ == p.ignored) {
    losses[group] = 0.0;
    counts[group] = 0.0;
    return;
  }
  if (target_ < 0 || target_ >= i32(p.V)) {
    atomicStore(&faults[0], p.fault);
    losses[group] = notANumber();
    counts[group] = 1.0;
    return;
  }
  let x = logits[u32(first + target_ * p.step)] - top;
  losses[group] = log_(allPowers) - (1.0 - p.smoothing) * x - p.smoothing / f32(p.V) * allDistances;
  counts[group] = 1.0;`,
  subgroups,
)}`),
      reads: [store.read(logits!), store.read(targets!)],
      writes: [store.write(losses!), store.write(counts!), fault.buffer],
      params,
      groups: gridFor(rows),
    });
    return true;
  };
  const targetWeights = (
    [targets]: readonly View[],
    [output]: readonly View[],
    { ignoreIndex, smoothing, V }: Attributes & { V: number },
  ): boolean => {
    if (output!.dtype !== "float32") return false;
    checkTargets(context, targets!, V, ignoreIndex);
    const { shape, strides } = targets!;
    const column = viewAs(targets!, { shape: [...shape, 1], strides: [...strides, 0] });
    return map(context, "targetWeights", [column], output!, {
      body: `if (a == p.ignored) { return 0.0; }
  return p.rest + select(0.0, 1.0 - p.smoothing, a == i32(n % p.V));`,
      params: (params) =>
        params
          .u32("V", V)
          .i32("ignored", ignoreIndex)
          .f32("smoothing", smoothing)
          .f32("rest", smoothing / V),
    });
  };
  return { crossEntropy, targetWeights };
}

/** Refuses classes out of range if the host has the targets. Otherwise kernels report them, and the next read throws. */
function checkTargets(context: Context, targets: View, V: number, ignoreIndex: number): void {
  const invalid = firstInvalidIndex(
    context,
    targets,
    (target) => target === ignoreIndex || (target >= 0 && target < V),
  );
  if (invalid === undefined) return;
  refuse(
    "crossEntropy",
    "targets",
    invalid,
    `classes from 0 to ${V - 1}, or ${ignoreIndex} for a place to ignore`,
    "check that the tokenizer belongs to the model, and that padding is marked with `ignoreIndex`.",
  );
}

import type { Expr } from "@qkv/attention-contract";
import { withFunctions } from "../../wgsl/numbers.js";
import {
  headerText,
  keyLoopText,
  mainText,
  pairsText,
  pairText,
  productsText,
  slopesText,
  statesText,
  type OutputGradients,
} from "./backward-text.js";
import { blockSize, each, sharedText } from "./block-text.js";
import type { CallLayout } from "./call-layout.js";
import { expressionGradientText } from "./expression-gradient-text.js";

/** A table whose gradient a kernel accumulates. */
export type TableLookups = {
  readonly mod: "scoreMod" | "weightMod";
  readonly lookups: readonly Expr[];
  /** True if no two pairs of query and key read the same number, so that each thread can add to its own numbers. */
  readonly apart: boolean;
};

/**
 * WGSL of the gradient of a table, accumulated without atomics and so always in the same order. Workgroups that may add to the
 * same numbers have separate copies of the table. Within a workgroup, thread i adds to the numbers i, i + 64, …, which it
 * searches in the gradients of all threads.
 */
export function tableGradientText(
  layout: CallLayout,
  outputGradients: OutputGradients,
  table: TableLookups,
): string {
  const { mod, lookups, apart } = table;
  const program = layout[mod]!;
  const other = { ...layout, [mod]: undefined };
  const [name, prefix] = mod === "scoreMod" ? ["scoreSlope", "table"] : ["weightSlope", "wtable"];
  const found = each(lookups.length, (l) =>
    apart
      ? `if (!(foundSlope${l} == 0.0)) { sums[copyAt + foundPlace${l}] += foundSlope${l}; }`
      : `places${l}[r][c] = foundPlace${l};
      slopes${l}[r][c] = foundSlope${l};`,
  );
  const adding = (l: number) => `for (var r = 0u; r < 4u; r++) {
      places[thread] = places${l}[r];
      slopes[thread] = slopes${l}[r];
      workgroupBarrier();
      for (var i = 0u; i < 256u; i++) {
        let at = places[i / 4u][i % 4u];
        let x = slopes[i / 4u][i % 4u];
        if (x == 0.0 || at % 64u != thread) { continue; }
        if (at != current) {
          if (!(sum == 0.0)) { sums[copyAt + current] += sum; }
          current = at;
          sum = 0.0;
        }
        sum += x;
      }
      workgroupBarrier();
    }`;
  return withFunctions(`${headerText(layout, { sums: "f32" })}
${each(lookups.length, (l) => `var<private> foundPlace${l}: u32;\nvar<private> foundSlope${l}: f32;`)}
${expressionGradientText(name!, program, prefix!, lookups)}
${slopesText(other)}
${pairText(layout, outputGradients)}
${sharedText()}
var<workgroup> places: array<vec4<u32>, 64>;
var<workgroup> slopes: array<vec4<f32>, 64>;
${mainText}
  let unit = p.firstUnit + id.y * 32768u + id.x;
  if (unit >= p.endUnit) { return; }
  let owner = unit % p.owners;
  let copyAt = unit / p.owners * p.numbers;
  var current = 0u;
  var sum = 0.0;
  for (var rest = p.restFirst + unit / p.owners; rest < p.restEnd; rest += p.copies) {
  let t0 = (owner % p.ownBlocks + rest % p.restBlocks) * ${blockSize}u;
  let h = owner / p.ownBlocks % p.ownHeads + rest / p.restBlocks % p.restHeads;
  let b = owner / p.ownBlocks / p.ownHeads + rest / p.restBlocks / p.restHeads;
  let g = h / p.group;
  ${statesText}
  ${keyLoopText(outputGradients)}
    ${productsText(layout, outputGradients)}
    ${
      apart
        ? ""
        : each(
            lookups.length,
            (l) => `var places${l} = array<vec4<u32>, 4>();
    var slopes${l} = array<vec4<f32>, 4>();`,
          )
    }
    ${pairsText(outputGradients, found)}
    ${apart ? "" : each(lookups.length, adding)}
    }
  }
  }
  ${apart ? "" : "if (!(sum == 0.0)) { sums[copyAt + current] += sum; }"}
}`);
}

import type { Expr } from "@qkv/attention-contract";
import { withFunctions } from "../../wgsl/numbers.js";
import {
  headText,
  keyWalkText,
  mainText,
  pairsText,
  pairText,
  productsText,
  slopesText,
  statesText,
  type Arrived,
} from "./backward-text.js";
import { blockSize, each, sharedText } from "./block-text.js";
import type { CallLayout } from "./call-layout.js";
import { expressionGradientText } from "./expression-gradient-text.js";

/** A table whose gradient a kernel adds up. */
export type TableLookups = {
  readonly mod: "scoreMod" | "weightMod";
  readonly lookups: readonly Expr[];
  /** True if two pairs of a query and a key never read the same number: each thread adds to its own ones. */
  readonly apart: boolean;
};

/**
 * The gradient of a table, added up without atomics, always in the same order. A workgroup adds to a copy of the table that
 * no other one adds to at the same places, and within it thread i to the places i, i + 64, …: it looks through the gradients
 * of all threads for those.
 */
export function tableGradientText(layout: CallLayout, arrived: Arrived, table: TableLookups): string {
  const { mod, lookups, apart } = table;
  const own = layout[mod]!;
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
  return withFunctions(`${headText(layout, { sums: "f32" })}
${each(lookups.length, (l) => `var<private> foundPlace${l}: u32;\nvar<private> foundSlope${l}: f32;`)}
${expressionGradientText(name!, own, prefix!, lookups)}
${slopesText(other)}
${pairText(layout, arrived)}
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
  ${keyWalkText(arrived)}
    ${productsText(layout, arrived)}
    ${
      apart
        ? ""
        : each(
            lookups.length,
            (l) => `var places${l} = array<vec4<u32>, 4>();
    var slopes${l} = array<vec4<f32>, 4>();`,
          )
    }
    ${pairsText(arrived, found)}
    ${apart ? "" : each(lookups.length, adding)}
    }
  }
  }
  ${apart ? "" : "if (!(sum == 0.0)) { sums[copyAt + current] += sum; }"}
}`);
}

import { cost, readConfig } from "@qkv/cost";
import { mismatch, type Check } from "../check.js";
import { compareRelatively, numberIn, shapeOf, type Models, type PlannerEntry } from "./planner-entry.js";

/**
 * An entry of `published-flops.json`: training FLOPs per token. Training is three times the forward pass, attention is causal,
 * embedding lookups count nothing. Only the order of approximate rows is checked.
 */
export function checkFlops(entry: PlannerEntry, models: Models): Check[] {
  const measured = measureRows(entry, models);
  return [
    ...measured
      .filter(({ row }) => row["approximate"] !== true)
      .map(({ row, ours, published }) => compareRelatively(String(row["model"]), ours, published, 0.03)),
    checkOrder(measured),
  ];
}

/** Approximate rows beside ours. */
export function flopsContext(entry: PlannerEntry, models: Models): string[] {
  return measureRows(entry, models)
    .filter(({ row }) => row["approximate"] === true)
    .map(
      ({ row, ours, published }) =>
        `${String(row["model"])}: ours ${ours.toFixed(0)} GFLOPs, published ${published}`,
    );
}

type Row = { row: PlannerEntry; ours: number; published: number };

function measureRows(entry: PlannerEntry, models: Models): Row[] {
  const length = numberIn(entry["statement"], /sequence length ([\d,]+)/);
  const rows = entry["rows"] as PlannerEntry[] | undefined;
  if (!Array.isArray(rows) || rows.length === 0) throw new Error("has no rows");
  return rows.map((row) => {
    const { flops } = cost(readConfig(shapeOf(row, models)), { queryLength: length });
    return { row, ours: (3 * flops) / length / 1e9, published: Number(row["value"]) };
  });
}

/** Checks that our figures order the models as the published ones do. */
function checkOrder(rows: readonly Row[]): Check {
  const by = (key: "ours" | "published") =>
    rows
      .toSorted((a, b) => a[key] - b[key])
      .map(({ row }) => String(row["model"]))
      .join(" < ");
  const [ours, published] = [by("ours"), by("published")];
  return ours === published
    ? { output: "order", error: 0, tolerance: 0 }
    : mismatch("order", 0, `${ours}, published ${published}`);
}

import { isQkvError } from "@qkv/core";
import { parameters, readConfig } from "@qkv/cost";
import { Skip } from "../case.js";
import { mismatch, type Check } from "../check.js";
import { compareRelatively, type PlannerEntry } from "./planner-entry.js";

/** Required sizes. */
const needed = ["n_heads", "n_kv_heads", "head_dim", "d_ff", "vocab_size"];

/**
 * A row of `models.json`: our parameter count must equal the published one. If a size is unknown, an error with the name of its
 * field is expected.
 */
export function checkModel(entry: PlannerEntry): Check[] {
  const unknown = needed.filter((field) => entry[field] === null);
  if (unknown.length > 0) return [refusal(entry, unknown)];
  if (typeof entry["parameters"] !== "number") throw new Skip("no published count");
  // The name is removed: only the architecture and the sizes may count.
  const { name: _name, note: _note, source: _source, parameters: published, ...shape } = entry;
  return [compareRelatively("parameters", parameters(readConfig(shape)).total, Number(published), 1e-3)];
}

function refusal(entry: PlannerEntry, unknown: readonly string[]): Check {
  const output = "refusal";
  try {
    readConfig(entry);
  } catch (error) {
    if (isQkvError(error) && unknown.includes(error.argument)) return { output, error: 0, tolerance: 0 };
    throw error;
  }
  return mismatch(output, 0, `a shape was read although ${unknown.join(", ")} is not known`);
}

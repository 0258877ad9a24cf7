import { Skip } from "../case.js";
import type { PlannerEntry } from "./planner-entry.js";

/** Qualities, times and rounded figures, shown beside ours on the site's pages without a check. */
export function skipContext(_entry: PlannerEntry): never {
  throw new Skip("context");
}

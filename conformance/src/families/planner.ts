import type { Source } from "../case.js";
import { namesIn, notYetSource } from "../data-files.js";

/** `planner/*.json`: model shapes and published costs. Each entry of each file is a case. */
export const planner = (dataDir: string): Source[] =>
  namesIn(dataDir, "planner", ".json").map((name) =>
    notYetSource(dataDir, "planner", `planner/${name}`, "arrives with the cost model"),
  );

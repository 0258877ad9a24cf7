import type { Source } from "../case.js";
import { emptyFolder, namesIn, notYetSource } from "../data-files.js";

const folder = "planner";

/** `planner/*.json`: model shapes and published costs. Each entry of each file is a case. */
export function planner(dataDir: string): Source[] {
  const names = namesIn(dataDir, folder, ".json");
  if (names.length === 0) return emptyFolder(dataDir, "planner", folder);
  return names.map((name) =>
    notYetSource(dataDir, "planner", `${folder}/${name}`, "arrives with the cost model"),
  );
}

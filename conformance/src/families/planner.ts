import type { DataFolder } from "../../data-folder.mjs";
import type { Case, Source } from "../case.js";
import type { Check } from "../check.js";
import { emptyFolder, notYetSource, readCases, type Entry } from "../data-files.js";
import { checkFlops, flopsContext } from "../planner/flops.js";
import { checkIo, ioContext } from "../planner/io.js";
import { checkKvCache } from "../planner/kv-cache.js";
import { checkModel } from "../planner/model.js";
import { skipContext } from "../planner/context.js";
import type { Models, PlannerEntry } from "../planner/planner-entry.js";

const folder = "planner";

type Table = {
  check(entry: PlannerEntry, models: Models): Check[];
  context?(entry: PlannerEntry, models: Models): string[];
};

/** Checks of the entries of each file; a file of another name is listed and counted as skipped. */
const files: Readonly<Record<string, Table>> = {
  "models.json": { check: checkModel },
  "published-kv-cache.json": { check: checkKvCache },
  "published-flops.json": { check: checkFlops, context: flopsContext },
  "published-io.json": { check: checkIo, context: ioContext },
  "published-quality-latency.json": { check: skipContext },
};

/** `planner/*.json`: model shapes and published costs. Each entry of each file is a case. */
export function planner(data: DataFolder): Source[] {
  const names = data.names(folder, ".json");
  if (names.length === 0) return emptyFolder(data, "planner", folder);
  const models = readModels(data);
  return names.map((name) => {
    const file = `${folder}/${name}`;
    const table = Object.hasOwn(files, name) ? files[name] : undefined;
    if (!table) return notYetSource(data, "planner", file, "nothing here knows this table yet");
    const toCase = ({ name, value }: Entry): Case => ({
      name,
      run: () => table.check(value, models),
      context: () => table.context?.(value, models) ?? [],
    });
    return { family: "planner", file, cases: readCases(data, file, toCase) };
  });
}

/** The shapes by name; empty if the file is missing or corrupt, which entries that need a shape report. */
function readModels(data: DataFolder): Models {
  const file = `${folder}/models.json`;
  try {
    const entries = (data.has(file) ? data.json(file) : []) as PlannerEntry[];
    return new Map(entries.map((entry) => [String(entry["name"]), entry]));
  } catch {
    return new Map();
  }
}

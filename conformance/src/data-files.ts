import type { DataFolder } from "../data-folder.mjs";
import { brokenCase, type Case, skippedCase, type Source } from "./case.js";

/** `attention` of `attention.json`. */
export const stemOf = (name: string): string => name.slice(name.lastIndexOf("/") + 1).replace(/\.json$/, "");

/** An entry of a file of cases, with its name in the report. */
export type Entry = { name: string; value: Record<string, unknown> };

/**
 * Reads a JSON file of the data and splits it into its cases. **What a case is**: an entry of the file's array, or
 * of its `cases`; a file with neither is one case. What cannot be read, and a file without a case, is one case
 * that fails, so that nothing is lost from the count.
 *
 * @param toCase - Makes the case of one entry. What it throws is that case's failure.
 */
export function readCases(
  data: DataFolder,
  file: string,
  toCase: (entry: Entry, whole: Record<string, unknown>) => Case,
): Case[] {
  let whole: unknown;
  try {
    whole = data.json(file);
  } catch (error) {
    return [brokenCase(file, `cannot be read: ${(error as Error).message}`)];
  }
  if (!isObject(whole)) return [brokenCase(file, "is neither an array nor an object")];
  const entries = Array.isArray(whole) ? whole : Array.isArray(whole["cases"]) ? whole["cases"] : [whole];
  if (entries.length === 0) return [brokenCase(file, "holds no case")];
  const stem = stemOf(file);
  return entries.map((value: unknown, index) => {
    const name = `${stem}[${index}]`;
    if (!isObject(value)) return brokenCase(name, "is not an object");
    const label = value["name"] ?? value["id"] ?? value["prompt"];
    const entry = { name: typeof label === "string" && label !== "" ? label : name, value };
    try {
      return toCase(entry, whole);
    } catch (error) {
      return brokenCase(entry.name, (error as Error).message);
    }
  });
}

/** A family whose folder exists but has no case: a failure, so that missing files are noticed. */
export function emptyFolder(data: DataFolder, family: string, folder: string): Source[] {
  if (!data.has(folder)) return [];
  return [{ family, file: folder, cases: [brokenCase(folder, "holds no case")] }];
}

/** A source whose cases are all skipped for one reason. */
export function notYetSource(data: DataFolder, family: string, file: string, reason: string): Source {
  const cases = readCases(data, file, ({ name }) => skippedCase(name, reason));
  return { family, file, cases, notYet: reason };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

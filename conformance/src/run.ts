import { isQkvError, ArgumentError } from "@qkv/core";
import { Skip, type Case, type Kind, type Source, type Target } from "./case.js";
import { passes, type Check } from "./check.js";
import { dataFolder } from "../data-folder.mjs";
import { kinds } from "./families.js";

export type Failure = { case: string; reason: string; checks: Check[] };

export type FamilyResult = {
  family: string;
  passed: number;
  failed: number;
  skipped: number;
  /** The check with the largest error relative to its tolerance; undefined if nothing was compared. */
  worst?: Check;
  skips: { reason: string; count: number }[];
  failures: Failure[];
  /** Published figures beside ours, without a check. */
  context: { case: string; lines: string[] }[];
  /** Files of the family without a runnable case. */
  notYet: { file: string; reason: string; cases: number }[];
};

/**
 * Runs the cases of a data folder.
 *
 * @param options.dataDir - A folder laid out like the reference data.
 * @param options.only - Families to run; all if empty.
 * @param options.kinds - Kinds of data to look for. Default: all.
 * @param options.onFamily - Called with each family's result when it is complete.
 * @throws {ArgumentError} If the folder contains no family, or not one named in `only`.
 */
export async function runConformance(
  target: Target,
  options: {
    dataDir: string;
    only?: readonly string[];
    kinds?: readonly Kind[];
    onFamily?: (result: FamilyResult) => void;
  },
): Promise<FamilyResult[]> {
  const { dataDir, only = [], onFamily } = options;
  const sources = (options.kinds ?? kinds).flatMap((kind) => kind(dataFolder(dataDir)));
  const families = [...new Set(sources.map(({ family }) => family))];
  if (families.length === 0) {
    throw new ArgumentError({
      fn: "conformance",
      argument: "--data",
      received: dataDir,
      expected: "a folder with onnx/, torch/, models/, tokenizers/ or planner/ in it",
      fix: "check the path; it is relative to the folder in which the command was typed.",
    });
  }
  const unknown = only.find((family) => !families.includes(family));
  if (unknown !== undefined) {
    throw new ArgumentError({
      fn: "conformance",
      argument: "--only",
      received: unknown,
      expected: "a family of the data",
      fix: `choose among ${families.join(", ")}.`,
    });
  }
  const results: FamilyResult[] = [];
  for (const family of only.length > 0 ? families.filter((name) => only.includes(name)) : families) {
    const mine = sources.filter((source) => source.family === family);
    const result = await runFamily(target, family, mine);
    onFamily?.(result);
    results.push(result);
  }
  return results;
}

/** The families of a data folder, in the order of the report. */
export function familiesOf(dataDir: string, of: readonly Kind[] = kinds): string[] {
  return [...new Set(of.flatMap((kind) => kind(dataFolder(dataDir))).map(({ family }) => family))];
}

async function runFamily(target: Target, family: string, sources: Source[]): Promise<FamilyResult> {
  const result: FamilyResult = {
    family,
    passed: 0,
    failed: 0,
    skipped: 0,
    skips: [],
    failures: [],
    context: [],
    notYet: sources.flatMap(({ file, notYet, cases }) =>
      notYet === undefined ? [] : [{ file, reason: notYet, cases: cases.length }],
    ),
  };
  for (const each of sources.flatMap(({ cases }) => cases)) await runCase(target, each, result);
  return result;
}

/** Runs one case and counts it in `result`. */
async function runCase(target: Target, one: Case, result: FamilyResult): Promise<void> {
  const { name } = one;
  let checks: Check[];
  try {
    const lines = one.context?.() ?? [];
    if (lines.length > 0) result.context.push({ case: name, lines });
    checks = await one.run(target);
  } catch (error) {
    if (error instanceof Skip) {
      result.skipped += 1;
      const known = result.skips.find(({ reason }) => reason === error.message);
      if (known) known.count += 1;
      else result.skips.push({ reason: error.message, count: 1 });
    } else {
      result.failed += 1;
      result.failures.push({ case: name, reason: describeFailure(error), checks: [] });
    }
    return;
  }
  for (const check of checks) if (!result.worst || strain(check) > strain(result.worst)) result.worst = check;
  const wrong = checks.filter((check) => !passes(check));
  if (checks.length > 0 && wrong.length === 0) {
    result.passed += 1;
  } else {
    result.failed += 1;
    const reason = wrong.length > 0 ? "differs" : "has no outputs to compare";
    result.failures.push({ case: name, reason, checks: wrong });
  }
}

/** The error in units of the tolerance: above 1 the check fails. Passing exact checks have 0. */
const strain = ({ error, tolerance }: Check): number =>
  error === 0 ? 0 : Number.isNaN(error) ? Infinity : error / tolerance;

/** The message of a QkvError; other errors are bugs and include their stack position. */
function describeFailure(error: unknown): string {
  if (isQkvError(error)) return (error as Error).message;
  if (!(error instanceof Error)) return String(error);
  const place =
    error.constructor === Error ? "" : (error.stack?.split("\n").slice(1, 2).join("").trim() ?? "");
  return [`${error.name}: ${error.message}`, place]
    .filter(Boolean)
    .join(" ")
    .replace(/^Error: /, "");
}

import { checks } from "@qkv/core";
import type { CheckReport, CheckResult } from "./check-subjects.js";

/**
 * Formats a report as a Markdown table: one row per case, one column per subject (a program under test), the relative error in
 * each cell. Errors above the tolerance are marked WRONG. A cell is FAILED where no error can be computed: the subject threw, or
 * returned the wrong number of elements, NaN or an infinity. Each WRONG and FAILED cell is explained below the table.
 *
 * @param facts - Lines printed above the table: adapter, engine, versions.
 * @throws {ArgumentError} If `report` is not a report, or a fact is not a string.
 *
 * @example
 * ```ts
 * import { checkText } from "@qkv/device/check";
 *
 * checkText({ results: [], failed: 0 }, ["adapter: none"]); // => "adapter: none\n\n0 of 0 passed\n"
 * ```
 */
export function checkText(report: CheckReport, facts: readonly string[] = []): string {
  const check = checks("checkText");
  check.each(
    { report },
    (report) => Array.isArray((report as Partial<CheckReport> | undefined)?.results),
    "a report",
    "pass the result of `await checkSubjects(subjects)`.",
  );
  check.list({ facts }, "lines of text", (line) => typeof line === "string");
  const { results, failed } = report;
  const subjects = [...new Set(results.map(({ subject }) => subject))];
  const cases = [...new Set(results.map((result) => result.case))];
  const find = (name: string, subject: string) =>
    results.find((result) => result.case === name && result.subject === subject);
  const rows = [
    ["case", ...subjects],
    ...cases.map((name) => [name, ...subjects.map((subject) => cellText(find(name, subject)))]),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(3, ...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[]) => `| ${row.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |`;
  const [head, ...body] = rows;
  const table =
    results.length === 0
      ? []
      : [line(head!), line(widths.map((width) => "-".repeat(width))), ...body.map(line), ""];
  const wrong = results
    .filter(({ passed }) => !passed)
    .map(
      ({ subject, case: name, finds, error, tolerance, message }) =>
        `${subject}: ${name}: ${message ?? `${error!.toExponential(1)}, more than ${tolerance}`} (finds ${finds})`,
    );
  return [
    ...facts,
    ...(facts.length > 0 ? [""] : []),
    ...table,
    ...wrong,
    `${results.length - failed} of ${results.length} passed`,
    "",
  ].join("\n");
}

function cellText(result: CheckResult | undefined): string {
  if (!result) return "";
  const { error, passed } = result;
  if (error === null) return "FAILED";
  return passed ? error.toExponential(1) : `${error.toExponential(1)} WRONG`;
}

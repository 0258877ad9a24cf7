import type { Check } from "./check.js";
import type { FamilyResult } from "./run.js";

export type Counts = { passed: number; failed: number; skipped: number };

/** `44 passed, 0 failed, 2 skipped`. */
export const formatCounts = ({ passed, failed, skipped }: Counts): string =>
  `${passed} passed, ${failed} failed, ${skipped} skipped`;

/** The counts of all families together. */
export const total = (results: readonly FamilyResult[]): Counts => ({
  passed: results.reduce((sum, { passed }) => sum + passed, 0),
  failed: results.reduce((sum, { failed }) => sum + failed, 0),
  skipped: results.reduce((sum, { skipped }) => sum + skipped, 0),
});

/** A family's line, then a line for each failure and each file without a runnable case. */
export function formatFamily(result: FamilyResult): string {
  const notes = [
    ...(result.worst ? [`worst error ${formatCheck(result.worst)}`] : []),
    ...result.skips.map(({ reason, count }) => `${count} skipped: ${reason}`),
  ];
  const lines = [
    `${result.family}: ${formatCounts(result)}${notes.length > 0 ? ` (${notes.join("; ")})` : ""}`,
    ...result.notYet.map(
      ({ file, reason, cases }) =>
        `  not known yet: ${file}, ${cases} case${cases === 1 ? "" : "s"} (${reason})`,
    ),
  ];
  for (const { case: name, lines: figures } of result.context) {
    lines.push(`  beside ours, ${name}:`, ...figures.map((line) => `    ${line}`));
  }
  for (const { case: name, reason, checks } of result.failures) {
    lines.push(`  FAILED ${name}: ${reason.replaceAll("\n", "\n    ")}`);
    for (const check of checks) {
      lines.push(
        `    ${check.output}: error ${formatCheck(check)}${check.detail ? `; ${check.detail}` : ""}`,
      );
    }
  }
  return lines.join("\n");
}

/** `3.6e-7 of 2e-5`: an error and its tolerance. */
const formatCheck = ({ error, tolerance }: Check): string =>
  `${formatNumber(error)} of ${formatNumber(tolerance)}`;

function formatNumber(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  const rounded = Number(value.toPrecision(2));
  return rounded < 0.01 ? rounded.toExponential() : String(rounded);
}

/** The run as one JSON object. Errors that are not finite are written as strings. */
export function toJson(run: { device: string; data: string; results: readonly FamilyResult[] }): string {
  const { device, data, results } = run;
  const object = { device, data, ...total(results), families: results };
  return JSON.stringify(
    object,
    (_, value: unknown) => (typeof value === "number" && !Number.isFinite(value) ? String(value) : value),
    2,
  );
}

import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { machinesOf } from "./runs";

const line = (row: object) =>
  `${JSON.stringify({ date: "2026-11-27", commit: "a", processor: "P", engine: "Node 24", threads: 1, row: "r", unit: "ms", ours: 1, ...row })}\n`;

test("keeps the latest measurement of each row with earlier ratios, separately by machine and engine", () => {
  const files = [
    line({ ratio: 2 }) + line({ ratio: 3, date: "2026-11-28", commit: "b" }) + line({ row: "s" }),
    line({ processor: "Q", date: "2026-12-01" }) + line({ processor: "Q", engine: "Chromium" }),
  ];
  const machines = machinesOf(files);
  expect(machines.map(({ processor, engine }) => [processor, engine])).toEqual([
    ["Q", "Node 24"],
    ["P", "Node 24"],
    ["Q", "Chromium"],
  ]);
  expect(machines[1]!.rows).toMatchObject([
    { row: "r", ratio: 3, commit: "b", before: [2] },
    { row: "s", before: [] },
  ]);
});

test("every recorded line of the project can be read", () => {
  const folder = new URL("../../../../benchmarks/history/", import.meta.url);
  const files = readdirSync(folder).map((file) => readFileSync(new URL(file, folder), "utf8"));
  const machines = machinesOf(files);
  expect(machines.length).toBeGreaterThan(0);
  for (const { rows } of machines)
    for (const { date, row, ours, ratio } of rows) {
      expect(date).toMatch(/^\d{4}-\d{2}-\d{2}$/);
      expect(row).toContain("/");
      expect(ours).toBeGreaterThan(0);
      if (ratio !== undefined) expect(ratio).toBeGreaterThan(0);
    }
});

// Records measurements: benchmarks/history/PROCESSOR.jsonl has one line for each row of each recorded run. A page of
// the site shows these files.
import { appendFileSync, mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("history/", import.meta.url));

/** A measured row as it is recorded; ratios above 1 mean that ours is faster. */
export function historyLine(measured, { date, commit, processor, engine, threads }) {
  const { id, unit, better, results, ratios, pairs } = measured;
  const best = (kind) =>
    results
      .filter((result) => result.kind === kind && !result.wrong)
      .toSorted((a, b) => (better === "low" ? a.median - b.median : b.median - a.median))[0];
  const ours = best("ours");
  const [, peer] = pairs.peer ?? [];
  const digits = (x) => x && Number(x.toPrecision(4));
  return {
    date,
    commit,
    processor,
    engine,
    threads,
    row: id,
    unit,
    ours: digits(ours?.median),
    ...(peer && { peer, ratio: digits(ratios.peer) }),
    ...(ratios.native !== undefined && { native: digits(ratios.native) }),
    ...(ratios.limit !== undefined && { limit: digits(ratios.limit) }),
    ...(ratios.aim !== undefined && { aim: ratios.aim }),
  };
}

/** Appends one line for each row to the file of the processor. */
export function record(cases, about) {
  const slug = about.processor
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "");
  const file = `${folder}${slug}.jsonl`;
  mkdirSync(folder, { recursive: true });
  const lines = cases.map((measured) => JSON.stringify(historyLine(measured, about)));
  appendFileSync(file, lines.map((line) => `${line}\n`).join(""));
  return file;
}

import { attentionTraffic, machines, type AttentionTraffic, type AttentionTrafficCall } from "@qkv/cost";
import type { Check } from "../check.js";
import { skipContext } from "./context.js";
import { compareRelatively, compareToRange, numberIn, type PlannerEntry } from "./planner-entry.js";

/** An entry of `published-io.json`: FLOPs and bytes of standard and tiled attention, or memory by length. */
export function checkIo(entry: PlannerEntry): Check[] {
  if (entry["approximate"] === true) return skipContext(entry);
  const { standard, flash } = (entry["rows"] ?? {}) as Record<string, unknown>;
  if (isTraffic(standard) && isTraffic(flash)) return checkTraffic(entry, standard, flash);
  return isMemory(entry) ? checkMemory(entry) : skipContext(entry);
}

type Traffic = { gflops: number; hbm_gb: number };

function isTraffic(row: unknown): row is Traffic {
  return typeof row === "object" && row !== null && "gflops" in row && "hbm_gb" in row;
}

/** The ratios in a figure that compares both methods. Scores have a mask and dropout, as in GPT-2. */
function checkTraffic(entry: PlannerEntry, standard: Traffic, flash: Traffic): Check[] {
  const { stored, tiled } = trafficOf(entry);
  const [ours, published] = [stored.bytesMoved / tiled.bytesMoved, standard.hbm_gb / flash.hbm_gb];
  return [
    compareRelatively(
      "FLOPs of flash over standard",
      tiled.flops / stored.flops,
      flash.gflops / standard.gflops,
      0.1,
    ),
    compareToRange("bytes of standard over flash, over the published ratio", ours / published, [
      1 / 2.5,
      2.5,
    ]),
  ];
}

function trafficOf({ shape }: PlannerEntry): ReturnType<typeof attentionTraffic> {
  const { batch, n_heads, length, head_dim, bytes_per_element, backward } = shape as Record<string, unknown>;
  return attentionTraffic({
    batchSize: Number(batch),
    numHeads: Number(n_heads),
    length: Number(length),
    headDim: Number(head_dim),
    bytesPerNumber: Number(bytes_per_element),
    backward: backward === true,
    passes: ["mask", "softmax", "dropout"],
  });
}

/** Absolute figures beside ours: gigaflops, gigabytes, megabytes, and times with the lower bound of an A100. */
export function ioContext(entry: PlannerEntry): string[] {
  const { standard, flash } = (entry["rows"] ?? {}) as Record<string, unknown>;
  if (isTraffic(standard) && isTraffic(flash)) {
    const { stored, tiled } = trafficOf(entry);
    const line = (name: string, ours: AttentionTraffic, published: Traffic) =>
      `${name}: ours ${(ours.flops / 1e9).toFixed(0)} GFLOPs, published ${published.gflops}; ` +
      `ours ${(ours.bytesMoved / 1e9).toFixed(1)} GB, published ${published.hbm_gb}`;
    return [line("standard", stored, standard), line("flash", tiled, flash)];
  }
  return isByLength(entry) ? lengthContext(entry) : [];
}

function lengthContext(entry: PlannerEntry): string[] {
  const { lengths, rows } = entry as unknown as LengthRows;
  const call = callOf(entry);
  const remembers = isMemory(entry);
  return (["pytorch", "flash"] as const).map((name) => {
    const figures = lengths.flatMap((length, i) => {
      const published = rows[name][i];
      if (published === null || published === undefined) return [];
      const ours = attentionTraffic({ ...call, length })[name === "pytorch" ? "stored" : "tiled"];
      return [`${length}: ${remembers ? (ours.peakBytes / 2 ** 20).toFixed(0) : boundMs(ours)}/${published}`];
    });
    return `${name}, ours/published by length, ${remembers ? "MiB" : "ms, ours a bound from below"}: ${figures.join(", ")}`;
  });
}

/** Lower bound of the time on an A100, on which the published times were measured. */
const boundMs = ({ flops, bytesMoved }: AttentionTraffic): string =>
  (1000 * Math.max(flops / machines.a100.flopsPerSecond, bytesMoved / machines.a100.bytesPerSecond)).toFixed(
    2,
  );

type LengthRows = { lengths: number[]; rows: Record<"pytorch" | "flash", (number | null)[]> };

function isByLength(entry: PlannerEntry): boolean {
  const { lengths, rows } = entry as unknown as Partial<LengthRows>;
  return Array.isArray(lengths) && Array.isArray(rows?.pytorch) && Array.isArray(rows?.flash);
}

/** Memory in MB by length. Times by length have the same form, so the setting must contain "memory". */
const isMemory = (entry: PlannerEntry): boolean =>
  isByLength(entry) && /memory/i.test(String(entry["setting"]));

/** The sizes in the setting; one entry omits those of the paper's tables. */
function callOf({ setting }: PlannerEntry): Omit<AttentionTrafficCall, "length"> {
  const stated = (pattern: RegExp, otherwise: number) =>
    pattern.test(String(setting)) ? numberIn(setting, pattern) : otherwise;
  return {
    numHeads: stated(/([\d,]+) heads/, 8),
    headDim: stated(/of dim ([\d,]+)/, 64),
    batchSize: stated(/batch ([\d,]+)/, 16),
    backward: /backward/.test(String(setting)),
  };
}

/** Growth of memory when the length doubles to the longest measured: quadratic or linear. */
function checkMemory(entry: PlannerEntry): Check[] {
  const { lengths, rows } = entry as unknown as LengthRows;
  const call = callOf(entry);
  return (["pytorch", "flash"] as const).flatMap((name) => {
    const last = rows[name].findLastIndex((value) => value !== null);
    const [before, at] = [lengths[last - 1], lengths[last]];
    if (before === undefined || at === undefined) throw new Error(`${name} was measured at one length only`);
    const held = (length: number) => {
      const { stored, tiled } = attentionTraffic({ ...call, length });
      return (name === "pytorch" ? stored : tiled).peakBytes;
    };
    const range = name === "pytorch" ? ([3.5, 4] as const) : ([1.9, 2.1] as const);
    return [
      compareToRange(`growth of ${name} at ${at}`, held(at) / held(before), range),
      compareToRange(
        `published growth of ${name} at ${at}`,
        rows[name][last]! / rows[name][last - 1]!,
        range,
      ),
    ];
  });
}

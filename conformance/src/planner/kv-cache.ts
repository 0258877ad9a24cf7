import { kvCache, readCacheLayers } from "@qkv/cost";
import type { Check } from "../check.js";
import { compareText } from "../check.js";
import { evaluate } from "./evaluate.js";
import { skipContext } from "./context.js";
import { compareEqual, shapeOf, type Models, type PlannerEntry } from "./planner-entry.js";

/** An entry of `published-kv-cache.json`: bytes per token, rounded elements per token, or formulas for them. */
export function checkKvCache(entry: PlannerEntry, models: Models): Check[] {
  const checks = [
    ...checkBytes(entry, models),
    ...checkRounded(entry, models),
    ...checkFormulas(entry["formulas"]),
  ];
  return checks.length === 0 || entry["approximate"] === true ? skipContext(entry) : checks;
}

function checkBytes(entry: PlannerEntry, models: Models): Check[] {
  const published = entry["kv_bytes_per_token"];
  if (typeof published !== "number") return [];
  const format = { name: "published", bytesPerNumber: Number(entry["bytes_per_element"]) };
  const layers = readCacheLayers(shapeOf(entry, models));
  const also = entry["also"] as { sequence?: number; bytes?: number } | undefined;
  const whole =
    also?.sequence !== undefined && also.bytes !== undefined
      ? [
          compareEqual(
            "bytes of a request",
            kvCache(layers, { contextLength: also.sequence, format }).bytesPerRequest,
            also.bytes,
          ),
        ]
      : [];
  return [compareEqual("bytes per token", kvCache(layers, { format }).bytesPerToken, published), ...whole];
}

/** `34.6K`: thousands with one decimal. */
function checkRounded(entry: PlannerEntry, models: Models): Check[] {
  const published = entry["kv_elements_per_token_rounded"];
  if (typeof published !== "string") return [];
  const { numbersPerToken } = kvCache(readCacheLayers(shapeOf(entry, models)));
  return [compareText("numbers per token", `${(numbersPerToken / 1000).toFixed(1)}K`, published)];
}

const variables = ["n_h", "n_g", "d_h", "d_c", "d_hR", "l"];

/** Compares each formula with ours, for a hundred shapes of random sizes. */
function checkFormulas(formulas: unknown): Check[] {
  if (typeof formulas !== "object" || formulas === null) return [];
  const random = randomNumbers(1);
  return Object.entries(formulas as Record<string, string>).map(([attention, formula]) => {
    let error = 0;
    for (let i = 0; i < 100; i++) {
      const values = Object.fromEntries(variables.map((name) => [name, 1 + Math.floor(random() * 96)]));
      const ours = kvCache(readCacheLayers(shapeFor(attention, values))).numbersPerToken;
      error = Math.max(error, Math.abs(ours - evaluate(formula, values)));
    }
    return { output: `formula of ${attention}`, error, tolerance: 0 };
  });
}

function shapeFor(attention: string, values: Record<string, number>): PlannerEntry {
  const { n_h, n_g, d_h, d_c, d_hR, l } = values;
  switch (attention) {
    case "MHA":
      return { attention, n_layers: l, n_heads: n_h, head_dim: d_h };
    case "GQA":
      return { attention, n_layers: l, n_heads: n_h, n_kv_heads: n_g, head_dim: d_h };
    case "MQA":
      return { attention, n_layers: l, n_heads: n_h, head_dim: d_h };
    case "MLA":
      return { attention, n_layers: l, kv_lora_rank: d_c, qk_rope_head_dim: d_hR };
    default:
      throw new Error(`has a formula for ${attention}, which nothing here knows`);
  }
}

/** Seeded random numbers in [0, 1) (mulberry32). */
function randomNumbers(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

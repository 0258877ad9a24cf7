import type { PatchAnswer } from "@qkv/lens/session";
import type { Place } from "./place";
import { signed, visible } from "./text-of";

/** A cell of the map of patches. */
export type PatchCell = { readonly row: number; readonly column: number };

/** Exact values of patches, by cell. */
export type ExactPatches = ReadonlyMap<string, number>;

export const cellName = ({ row, column }: PatchCell): string => `${row},${column}`;

type PatchMap = Pick<PatchAnswer, "names" | "values" | "columns" | "unpatched" | "source">;

/** The values of a map, those that are known exactly in place of their estimates. */
export function knownValues({ values, columns }: PatchMap, exact: ExactPatches): Float32Array {
  const known = Float32Array.from(values);
  for (const [name, value] of exact) {
    const [row, column] = name.split(",").map(Number);
    known[row! * columns + column!] = value;
  }
  return known;
}

/** The patches that move the logit difference most. */
export function largestPatches({ values, columns, unpatched }: PatchMap, count = 5): readonly PatchCell[] {
  const size = ({ row, column }: PatchCell) => Math.abs(values[row * columns + column]! - unpatched);
  return Array.from(values, (_, i) => ({ row: Math.floor(i / columns), column: i % columns }))
    .filter((one) => Number.isFinite(size(one)))
    .sort((a, b) => size(b) - size(a))
    .slice(0, count);
}

/**
 * `fraction` of the logit difference of two texts that a patch restores, or change in `logits`: of a difference below one logit, or below
 * half of what one patch moves, a fraction tells little.
 */
export function effectUnit({ values, unpatched, source }: PatchMap): "fraction" | "logits" {
  const moved = values.reduce(
    (most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value - unpatched)) : most),
    0,
  );
  return Math.abs(source - unpatched) < Math.max(1, moved / 2) ? "logits" : "fraction";
}

/** The effect of a patch after which the logit difference is `value`. */
export function effectText(
  { unpatched, source }: Pick<PatchMap, "unpatched" | "source">,
  unit: "fraction" | "logits",
  value: number,
): string {
  const change = value - unpatched;
  return signed(unit === "logits" ? change : change / (source - unpatched));
}

/** The sentence that reads a map by position: up to which layer the changed words carry the difference, and from which one the last token does. */
export function readingOf(
  { names, values, columns, unpatched }: PatchMap,
  changed: readonly number[],
  labels: readonly string[],
): string | undefined {
  const last = columns - 1;
  const moved = changed.filter((column) => column < last);
  if (moved.length === 0 || names.length === 0) return undefined;
  const size = (row: number, column: number) => Math.abs(values[row * columns + column]! - unpatched);
  const half =
    Math.max(...names.flatMap((_, row) => moved.concat(last).map((column) => size(row, column)))) / 2;
  const carries = (row: number, of: readonly number[]) => of.some((column) => size(row, column) >= half);
  const lost = names.findIndex((_, row) => !carries(row, moved));
  const from = names.findLastIndex((_, row) => !carries(row, [last])) + 1;
  const words = moved.map((column) => `“${visible(labels[column]!)}”`).join(" and ");
  const end = `“${visible(labels[last]!)}”`;
  const sits =
    lost === 0
      ? `After layer 0 the difference is no longer at ${words}`
      : `The difference sits at ${words} up to ${lost < 0 ? "the last layer" : `layer ${lost - 1}`}`;
  // Positions that have it in the layers in between.
  const between = names.flatMap((_, row) =>
    row < Math.max(lost, 0) || row >= from
      ? []
      : Array.from({ length: last }, (_, column) => column).filter(
          (column) => !moved.includes(column) && carries(row, [column]),
        ),
  );
  const passed = [...new Set(between)].map((column) => `“${visible(labels[column]!)}”`).slice(0, 3);
  const through = passed.length > 0 ? `; it passes through ${passed.join(" and ")}` : "";
  if (from === names.length) return `${sits}${through}; no layer has it clearly at ${end}.`;
  return `${sits}${through}, and is at ${end} from layer ${from} on.`;
}

/** The places where two texts of different lengths split into different tokens: `“sleepy” is 2 tokens, “hungry” is 1 token`. */
export function splitText(own: readonly string[], other: readonly string[]): string {
  const most = Math.min(own.length, other.length);
  let start = 0;
  while (start < most && own[start] === other[start]) start += 1;
  let end = 0;
  while (end < most - start && own.at(-1 - end) === other.at(-1 - end)) end += 1;
  const [one, two] = [own, other].map((tokens) => tokens.slice(start, tokens.length - end)) as [
    string[],
    string[],
  ];
  const told = (tokens: readonly string[], verb: string) => {
    const { length } = tokens;
    const parts = length > 1 ? ` (${tokens.map(visible).join(" + ")})` : "";
    return `“${tokens.join("").trim()}”${verb}${length} ${length === 1 ? "token" : "tokens"}${parts}`;
  };
  if (one.length === 0) return `Only the other text has ${told(two, ", ")}`;
  if (two.length === 0) return `Only this text has ${told(one, ", ")}`;
  return `${told(one, " is ")}, ${told(two, " is ")}`;
}

/** A patched part in words. */
export function patchText(
  name: string,
  by: Place["by"],
  column: number,
  { labels, numLayers }: { readonly labels: readonly string[]; readonly numLayers: number },
): string {
  const layer = /^layers\.(\d+)\./.exec(name)?.[1];
  if (layer === undefined) return `${name}, ${by} ${column}`;
  if (by === "head") return `layer ${layer}, head ${column}`;
  const isAnswer = Number(layer) === numLayers - 1 && column === labels.length - 1;
  return `after layer ${layer}, at ${visible(labels[column] ?? "")}${isAnswer ? " (the answer itself)" : ""}`;
}

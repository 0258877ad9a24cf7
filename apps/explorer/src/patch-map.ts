import type { PatchAnswer } from "@qkv/lens/session";
import type { Place } from "./place";
import type { QuestionOf } from "./protocol";
import { listed, signed, visible } from "./text-of";

/** A cell of the map of patches. */
export type PatchCell = { readonly row: number; readonly column: number };

/** Exact values of patches, by cell. */
export type ExactPatches = ReadonlyMap<string, number>;

export const cellName = ({ row, column }: PatchCell): string => `${row},${column}`;

export type PatchPlace = QuestionOf<"patch">["place"];

/** The patches that the page shows. */
export type ShownPatches = {
  /** Ids of the tokens that they are measured by. */
  readonly measure?: Place["measure"];
  /** Those that are known exactly. */
  readonly exact?: readonly PatchPlace[];
};

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

/** All patches of a map, those that move the logit difference most first. */
export function sortedPatches({ values, columns, unpatched }: PatchMap): readonly PatchCell[] {
  const size = ({ row, column }: PatchCell) => Math.abs(values[row * columns + column]! - unpatched);
  return Array.from(values, (_, i) => ({ row: Math.floor(i / columns), column: i % columns }))
    .filter((one) => Number.isFinite(size(one)))
    .sort((a, b) => size(b) - size(a));
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

const layerOf = (name: string): string | undefined => /^layers\.(\d+)\./.exec(name)?.[1];

/** Positions that a sentence names in a layer; of more it tells the number. */
const mostNamed = 3;

/** The positions that have at least half of the largest effect, layer by layer: equal layers that follow each other are one entry. */
function carriersOf({ names, values, columns, unpatched }: PatchMap) {
  const size = (i: number) => Math.abs(values[i]! - unpatched);
  const half = values.reduce((most, _, i) => Math.max(most, size(i) || 0), 0) / 2;
  const groups: { readonly rows: number[]; readonly positions: readonly number[] }[] = [];
  for (const row of names.keys()) {
    const positions = Array.from({ length: columns }, (_, column) => column).filter(
      (column) => size(row * columns + column) >= half,
    );
    const before = groups.at(-1);
    if (before?.positions.join() === positions.join()) before.rows.push(row);
    else groups.push({ rows: [row], positions });
  }
  return groups;
}

/** The sentence that reads a map by position: where the difference of the two texts sits after each layer. */
export function readingOf(map: PatchMap, labels: readonly string[]): string {
  const told = carriersOf(map).map(({ rows, positions }) => {
    const layers = [...new Set([rows[0]!, rows.at(-1)!])].map((row) => layerOf(map.names[row]!));
    const named = positions.slice(0, mostNamed).map((column) => `“${visible(labels[column] ?? "")}”`);
    const more = positions.length - named.length;
    const all = listed(more > 0 ? [...named, `${more} more`] : named);
    return `after ${layers.length === 1 ? "layer" : "layers"} ${layers.join(" to ")} at ${all || "no position clearly"}`;
  });
  return `Where the difference of the texts sits: ${told.join("; ")}.`;
}

/**
 * A place that restores the answer by itself, which tells nothing about the model: `answer`, the last token after the last layer;
 * `changed`, the token that differs between the texts. Undefined: it is neither, as the output of a head is.
 */
export type TrivialPlace = "answer" | "changed" | undefined;

/** Tells a trivial place of a map. `changed`: positions whose tokens differ. */
export function trivialPlace(
  { names, columns }: Pick<PatchMap, "names" | "columns">,
  by: Place["by"],
  { row, column }: PatchCell,
  changed: readonly number[],
): TrivialPlace {
  if (by === "head") return undefined;
  if (row === names.length - 1 && column === columns - 1) return "answer";
  return changed.includes(column) ? "changed" : undefined;
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
  labels: readonly string[],
  trivial?: TrivialPlace,
): string {
  const layer = layerOf(name);
  if (layer === undefined) return `${name}, ${by} ${column}`;
  if (by === "head") return `layer ${layer}, head ${column}`;
  const told =
    trivial && ` (${{ answer: "the answer itself", changed: "the changed token itself" }[trivial]})`;
  return `after layer ${layer}, at ${visible(labels[column] ?? "")}${told ?? ""}`;
}

import { type Checks } from "@qkv/core";

/** Marks of heads in a picture, beside their weights. */
export type HeadMarks = {
  /** Hkv: heads that share keys and values have one bar. Default: none are shared. */
  numKvHeads?: number;
  /** Window size: keys that a query sees, itself included. Older keys are hatched. Unit: tokens. */
  window?: number;
  /** Keys at the beginning that every query sees, also outside of its window. Default 0. */
  keepFirst?: number;
  /** True for a learned attention sink: what a row of weights lacks to 1 is drawn as the weight of the sink. */
  sink?: boolean;
};

/** The marks in words, beside a layer: `4 heads, 2 of keys · window 8 · keeps 1 · sink`. */
export function marksText(heads: number, { numKvHeads = heads, window, keepFirst, sink }: HeadMarks): string {
  return [
    `${heads} ${heads === 1 ? "head" : "heads"}${numKvHeads < heads ? `, ${numKvHeads} of keys` : ""}`,
    ...(window === undefined ? [] : [`window ${window}`]),
    ...(keepFirst ? [`keeps ${keepFirst}`] : []),
    ...(sink ? ["sink"] : []),
  ].join(" · ");
}

/** The key-value head of a query head. */
export function keyValueHead(head: number, heads: number, { numKvHeads = heads }: HeadMarks): number {
  return Math.floor(head / (heads / numKvHeads));
}

/** True for a key outside of the window of a query. Both are positions: query t of T is at position S − T + t. */
export function outOfWindow(query: number, key: number, { window, keepFirst = 0 }: HeadMarks): boolean {
  return window !== undefined && key >= keepFirst && key <= query - window;
}

/** The names of all marks. */
export const markNames = [
  "numKvHeads",
  "window",
  "keepFirst",
  "sink",
] as const satisfies readonly (keyof HeadMarks)[];

/** @throws {ArgumentError} If the marks do not fit the number of heads. */
export function checkMarks(check: Checks, heads: number, marks: HeadMarks): void {
  const { numKvHeads = heads, window = 1, keepFirst = 0, sink = false } = marks;
  const divides = (n: unknown) => Number.isInteger(n) && (n as number) >= 1 && heads % (n as number) === 0;
  const fix = "each key-value head serves the same number of heads.";
  check.each({ numKvHeads }, divides, `a divisor of ${heads} heads`, fix);
  check.whole({ window }, { min: 1, unit: "tokens", fix: "count the query itself." });
  check.whole({ keepFirst }, { min: 0, unit: "tokens", fix: "leave it out for none." });
  check.type({ sink }, "boolean");
}

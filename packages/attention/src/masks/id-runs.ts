import type { Range } from "@qkv/attention-contract";

/** The id of each position, and the end (exclusive) of the run of equal ids that contains it. */
export type IdRuns = { readonly ids: readonly number[]; readonly runEnd: Int32Array };

export function withRuns(list: ArrayLike<number>): IdRuns {
  const ids = Array.from(list);
  const runEnd = new Int32Array(ids.length);
  for (let i = ids.length - 1; i >= 0; i--) runEnd[i] = ids[i] === ids[i + 1] ? runEnd[i + 1]! : i;
  return { ids, runEnd };
}

/** The distinct ids in a range of positions, found run by run; undefined represents positions beyond the list. */
export function idsInRange({ ids, runEnd }: IdRuns, { first, last }: Range): Set<number | undefined> {
  const found = new Set<number | undefined>();
  for (let position = first; position <= last; position = (runEnd[position] ?? position) + 1) {
    found.add(ids[position]);
  }
  return found;
}

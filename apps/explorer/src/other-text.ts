/**
 * The text to compare with, once the text was edited. An edit where both are the same is made in both, so that their difference stays;
 * after any other, the text to compare with begins as a copy.
 */
export function followEdit(before: string, after: string, other: string): string {
  const start = commonStart(before, after);
  const end = commonEnd(before.slice(start), after.slice(start));
  const written = after.slice(start, after.length - end);
  if (start + (before.length - start - end) <= commonStart(before, other))
    return other.slice(0, start) + written + other.slice(before.length - end);
  if (before.length - start <= commonEnd(before, other))
    return other.slice(0, other.length - (before.length - start)) + written + after.slice(after.length - end);
  return after;
}

function commonStart(one: string, other: string): number {
  let i = 0;
  while (i < one.length && one[i] === other[i]) i += 1;
  return i;
}

function commonEnd(one: string, other: string): number {
  let i = 0;
  while (i < Math.min(one.length, other.length) && one.at(-1 - i) === other.at(-1 - i)) i += 1;
  return i;
}

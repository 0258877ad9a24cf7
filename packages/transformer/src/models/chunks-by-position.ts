import { isList, type Checks } from "@qkv/core";
import { documents, type Positions } from "@qkv/attention";
import type { Cache, Mask } from "@qkv/attention-contract";

/**
 * Masks chunked attention by the given positions of tokens, which differ from their indices in a row with padding before it. Tokens of
 * earlier calls have the positions before the first of this call.
 *
 * @returns Undefined where positions are indices: then `chunked(chunkSize)` is the mask.
 */
export function chunksByPosition(
  check: Checks,
  chunkSize: number,
  positions: Positions,
  [B, T]: readonly [number, number],
  cache: Cache | undefined,
): Mask | undefined {
  const lengths = Array.from({ length: B }, (_, b) => cache?.lengths?.[b] ?? cache?.length ?? 0);
  if (!isList(positions) && lengths.every((length) => length === positions.start)) return undefined;
  const placeOf = (b: number, t: number): number =>
    isList(positions) ? positions[positions.length === T ? t : b * T + t]! : positions.start + t;
  const chunks = lengths.map((length, b) => {
    const first = placeOf(b, 0) - length;
    const places = Array.from({ length: length + T }, (_, i) =>
      i < length ? first + i : placeOf(b, i - length),
    );
    const wrong = length === 0 ? -1 : places.findIndex((place, i) => place !== first + i);
    if (wrong >= 0) {
      check.refuse({
        argument: "positions",
        received: places.slice(length),
        expected: `consecutive positions in row ${b}, as chunks are counted from those of earlier tokens`,
        fix: "give a row with padding inside its tokens in one call, without a cache.",
      });
    }
    return places.map((place) => Math.floor(place / chunkSize));
  });
  return documents(chunks);
}

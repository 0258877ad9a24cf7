import { checks, isList } from "@qkv/core";

/** Positions of the tokens of x: consecutive from `start` on, or a list, `[T]` or `[B, T]` row-major. */
export type Positions = { readonly start: number } | Int32Array;

/** Converts positions to a list, `[T]` or `[B · T]`. Refuses a list of another length. */
export function placesOf(fn: string, positions: Positions, B: number, T: number): number[] {
  const check = checks(fn, { argument: "positions", fix: "give each token its place in the sequence." });
  if (isList(positions)) {
    const places = Array.from(positions as ArrayLike<number>);
    const wrong = places.findIndex((place) => !Number.isFinite(place));
    if (wrong >= 0) check.refuse({ received: places[wrong], expected: "finite numbers" });
    if (places.length === T || places.length === B * T) return places;
    const expected = `T = ${T} of them, or B · T = ${B * T}`;
    return check.refuse({ received: `${places.length} positions`, expected });
  }
  const start: unknown = (positions as { start?: unknown } | null | undefined)?.start;
  if (Number.isFinite(start)) return Array.from({ length: T }, (_, t) => (start as number) + t);
  return check.refuse({
    ...(start !== undefined && { argument: "positions.start" }),
    received: start ?? positions,
    expected: "{ start } with a finite number, or an Int32Array of positions",
  });
}

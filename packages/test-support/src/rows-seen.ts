import type { Mask } from "@qkv/attention-contract";

/** The keys that each of T queries sees: a row of 0s and 1s for each query. */
export function rowsSeen(mask: Mask, T: number, S = T, batch = 0, head = 0): string[] {
  const bound = mask.bind({ queryLength: T, keyLength: S });
  return Array.from({ length: T }, (_, t) =>
    Array.from({ length: S }, (_, s) => (bound.sees(S - T + t, s, batch, head) ? 1 : 0)).join(""),
  );
}

import type { Mask } from "@qkv/attention-contract";

/** The keys that each of T queries sees: for each query a string of S digits, 1 where it sees the key. */
export function rowsSeen(mask: Mask, T: number, S = T, batch = 0, head = 0): string[] {
  const bound = mask.bind({ queryLength: T, keyLength: S });
  return Array.from({ length: T }, (_, t) =>
    Array.from({ length: S }, (_, s) => (bound.sees(S - T + t, s, batch, head) ? 1 : 0)).join(""),
  );
}

import { ArgumentError } from "@qkv/core";

/** @throws {ArgumentError} If a threshold of entropies is not a number of 0 or more. */
export function checkThreshold(fn: string, threshold: number): void {
  if (threshold >= 0 && threshold < Infinity) return;
  throw new ArgumentError({
    fn,
    argument: fn === "globalThreshold" ? "threshold" : "rise",
    received: threshold,
    expected: "a number of nats, 0 or more",
    fix: "use about 1.5, and less for shorter patches; one bit is 0.693 nats.",
  });
}

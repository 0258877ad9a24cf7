import { checks } from "@qkv/core";

/** @throws {ArgumentError} If a threshold of entropies is not a number of 0 or more. */
export function checkThreshold(fn: string, threshold: number): void {
  checks(fn).each(
    { [fn === "globalThreshold" ? "threshold" : "rise"]: threshold },
    (value) => Number.isFinite(value) && (value as number) >= 0,
    "a number of nats, 0 or more",
    "use about 1.5, and less for shorter patches; one bit is 0.693 nats.",
  );
}

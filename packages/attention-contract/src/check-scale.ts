import type { Checks } from "@qkv/core";

/** Refuses a scale that is not finite, and a softcap that is negative or not finite: scores would be NaN. */
export function checkScale(check: Checks, scale: unknown, softcap: unknown = 0): void {
  if (scale !== undefined && !Number.isFinite(scale))
    check.finite({ scale }, { fix: "leave it out for 1 / √D." });
  if (!Number.isFinite(softcap) || (softcap as number) < 0) {
    const fix = "leave it out for scores without a cap.";
    check.each({ softcap }, () => false, "a finite number, 0 (off) or more", fix);
  }
}

import type { Checks } from "@qkv/core";

/** Refuses a scale or a softcap that would make scores NaN. */
export function checkScale(check: Checks, scale: unknown, softcap: unknown = 0): void {
  if (scale !== undefined && !Number.isFinite(scale))
    check.finite({ scale }, { fix: "leave it out for 1 / √D." });
  if (!Number.isFinite(softcap) || (softcap as number) < 0) {
    const fix = "leave it out for scores without a cap.";
    check.each({ softcap }, () => false, "a finite number, 0 (off) or more", fix);
  }
}

import { currentHost } from "./host.js";

/**
 * Shows a claim below the code, marked as true or false. An exercise is solved when all of its checks are true.
 *
 * @param claim - The claim, as a sentence.
 * @param holds - True if the claim is true.
 * @returns `holds`.
 *
 * @example
 * ```ts
 * import { check } from "@qkv/page";
 *
 * check("two and two are four", 2 + 2 === 4);
 * ```
 */
export function check(claim: string, holds: boolean): boolean {
  currentHost()?.post({ type: "check", what: claim, holds });
  return holds;
}

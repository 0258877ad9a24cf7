import { currentHost } from "./host.js";

/**
 * Says whether something holds, as a line with a mark. An exercise is solved when each of its checks holds.
 *
 * @param what - The claim, a sentence that is true when it holds.
 * @returns `holds`.
 *
 * @example
 * ```ts
 * import { check } from "@qkv/page";
 *
 * check("two and two are four", 2 + 2 === 4);
 * ```
 */
export function check(what: string, holds: boolean): boolean {
  currentHost()?.post({ type: "check", what, holds });
  return holds;
}

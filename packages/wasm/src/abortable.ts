import type { Exports } from "./engine.js";

/**
 * The same functions, which throw an `AbortError` once `isAborted` returns true: before the next work item of a call.
 */
export function abortable(exports: Exports, isAborted: () => boolean): Exports {
  const entries = Object.entries(exports).map(([name, run]) => {
    const checked = (...args: number[]): number => {
      if (isAborted()) throw new DOMException("The call was aborted by `abortCallback`.", "AbortError");
      return run(...args);
    };
    return [name, typeof run === "function" ? checked : run] as const;
  });
  return Object.fromEntries(entries);
}

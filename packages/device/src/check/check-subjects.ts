import { checks } from "@qkv/core";
import { checkCases } from "./cases.js";
import { inFloat64 } from "./in-float64.js";
import type { CheckCase, Subject } from "./subject.js";

/** One case on one subject. */
export type CheckResult = {
  readonly subject: string;
  readonly case: string;
  readonly finds: string;
  /** Largest distance from float64, as a share of the largest number; null for NaN, infinities and what threw. */
  readonly error: number | null;
  readonly tolerance: number;
  readonly passed: boolean;
  /** The first line of the error, where it threw; or the first number that is none. */
  readonly message?: string;
};

export type CheckReport = { readonly results: readonly CheckResult[]; readonly failed: number };

export type CheckOptions = {
  /** Default: all of `checkCases()`. */
  cases?: readonly CheckCase[];
  /** Called after each case on each subject. */
  onResult?: (result: CheckResult) => void;
  /** Stops between two cases. */
  signal?: AbortSignal;
};

/**
 * Compares what subjects compute with the same in float64.
 *
 * @param subjects - Devices, or other programs.
 * @throws {ArgumentError} If an option is none of those that it takes. The signal's reason, when it aborts.
 *
 * @example
 * ```ts
 * import { checkSubjects, deviceSubject } from "@qkv/device/check";
 * import { js, matmul } from "@qkv/tensor";
 *
 * const subject = deviceSubject("js", js(), () => {
 *   throw new Error("there is no attention here");
 * });
 * const { results } = await checkSubjects([subject]);
 * results.filter(({ passed }) => passed).length; // => 4
 * results.at(-1)?.message; // => "there is no attention here"
 * ```
 */
export async function checkSubjects(
  subjects: readonly Subject[],
  given?: CheckOptions,
): Promise<CheckReport> {
  const check = checks("checkSubjects");
  check.list(
    { subjects },
    "subjects",
    (one) => typeof (one as Partial<Subject> | null)?.matmul === "function",
    "make them with `deviceSubject`.",
  );
  const { cases = checkCases(), onResult, signal } = check.options(given, ["cases", "onResult", "signal"]);
  const results: CheckResult[] = [];
  for (const one of cases) {
    const expected = inFloat64(one);
    for (const subject of subjects) {
      signal?.throwIfAborted();
      const result = await resultOf(subject, one, expected);
      results.push(result);
      onResult?.(result);
    }
  }
  return { results, failed: results.filter(({ passed }) => !passed).length };
}

async function resultOf(subject: Subject, one: CheckCase, expected: Float64Array): Promise<CheckResult> {
  const { name, finds, tolerance } = one;
  const common = { subject: subject.name, case: name, finds, tolerance };
  let numbers: ArrayLike<number>;
  try {
    numbers =
      one.kind === "matmul" ? await subject.matmul(one.inputs()) : await subject.attention(one.inputs());
  } catch (error) {
    const message = (error instanceof Error ? error.message : String(error)).split("\n")[0]!;
    return { ...common, error: null, passed: false, message };
  }
  if (numbers.length !== expected.length)
    return {
      ...common,
      error: null,
      passed: false,
      message: `${numbers.length} numbers of ${expected.length}`,
    };
  let largest = 0;
  for (const x of expected) largest = Math.max(largest, Math.abs(x));
  let distance = 0;
  for (let i = 0; i < expected.length; i++) {
    if (!Number.isFinite(numbers[i]!))
      return { ...common, error: null, passed: false, message: `${numbers[i]} at ${i}` };
    distance = Math.max(distance, Math.abs(numbers[i]! - expected[i]!));
  }
  const error = distance / (largest || 1);
  return { ...common, error, passed: error <= tolerance };
}

import { checks } from "@qkv/core";
import { checkCases } from "./cases.js";
import { referenceInFloat64 } from "./in-float64.js";
import type { CheckCase, Subject } from "./subject.js";

/** The result of one case on one subject. */
export type CheckResult = {
  /** Name of the subject, a program under test. */
  readonly subject: string;
  /** Name of the case. */
  readonly case: string;
  /** The mistake that the case finds, in a few words. */
  readonly finds: string;
  /**
   * Largest absolute difference from the float64 reference, divided by the largest absolute value of the reference; null if
   * the subject threw an error, or returned the wrong number of elements, NaN or an infinity.
   */
  readonly error: number | null;
  readonly tolerance: number;
  readonly passed: boolean;
  /** First line of the error that the subject threw, the wrong number of elements, or the first value that is not finite. */
  readonly message?: string;
};

export type CheckReport = { readonly results: readonly CheckResult[]; readonly failed: number };

export type CheckOptions = {
  /** Default: all of `checkCases()`. */
  cases?: readonly CheckCase[];
  /** Called after each case on each subject. */
  onResult?: (result: CheckResult) => void;
  /** Stops the check between two cases. */
  signal?: AbortSignal;
};

/**
 * Compares the results of subjects with a float64 reference, case by case.
 *
 * @param subjects - Devices or other libraries.
 * @throws {ArgumentError} If an option is unknown or has a wrong value. The signal's reason, if it aborts.
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
  options?: CheckOptions,
): Promise<CheckReport> {
  const check = checks("checkSubjects");
  check.list(
    { subjects },
    "subjects",
    (subject) => typeof (subject as Partial<Subject> | null)?.matmul === "function",
    "make them with `deviceSubject`.",
  );
  const { cases = checkCases(), onResult, signal } = check.options(options, ["cases", "onResult", "signal"]);
  const results: CheckResult[] = [];
  for (const checkCase of cases) {
    const expected = referenceInFloat64(checkCase);
    for (const subject of subjects) {
      signal?.throwIfAborted();
      const result = await runCase(subject, checkCase, expected);
      results.push(result);
      onResult?.(result);
    }
  }
  return { results, failed: results.filter(({ passed }) => !passed).length };
}

async function runCase(subject: Subject, checkCase: CheckCase, expected: Float64Array): Promise<CheckResult> {
  const { name, finds, tolerance } = checkCase;
  const common = { subject: subject.name, case: name, finds, tolerance };
  let numbers: ArrayLike<number>;
  try {
    numbers =
      checkCase.kind === "matmul"
        ? await subject.matmul(checkCase.inputs())
        : await subject.attention(checkCase.inputs());
  } catch (error) {
    const message = (error instanceof Error ? error.message : String(error)).split("\n")[0]!;
    return { ...common, error: null, passed: false, message };
  }
  if (numbers.length !== expected.length)
    return {
      ...common,
      error: null,
      passed: false,
      message: `${numbers.length} elements, expected ${expected.length}`,
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

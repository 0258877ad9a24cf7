import { DeviceError } from "@qkv/core";

/** Largest accepted error, relative to the largest number: float32 sums in another order. */
const tolerance = 1e-4;

/**
 * Compares the results of a self-test with the correct ones.
 *
 * @returns The largest error, relative to the largest number.
 * @throws {DeviceError} If the numbers are wrong, with the adapter's name.
 */
export async function compareNumbers(
  fn: string,
  adapter: string,
  computed: Promise<readonly ArrayLike<number>[]>,
  expected: readonly ArrayLike<number>[],
): Promise<number> {
  const results = await computed.catch((error: unknown) => {
    throw selfTestError(fn, adapter, "which fails in the self-test", error);
  });
  let worst = 0;
  results.forEach((numbers, i) => {
    const correct = expected[i]!;
    const largest = Array.from(correct).reduce((a, b) => Math.max(a, Math.abs(b)), 1);
    for (let k = 0; k < correct.length; k++) {
      const distance = Math.abs(numbers[k]! - correct[k]!) / largest;
      if (!(distance <= worst)) worst = distance;
    }
  });
  if (worst <= tolerance) return worst;
  throw selfTestError(fn, adapter, `whose numbers in the self-test are ${worst} away`);
}

function selfTestError(fn: string, adapter: string, reason: string, cause?: unknown): DeviceError {
  return new DeviceError({
    fn,
    argument: "adapter",
    received: `${adapter}, ${reason}`,
    expected: `numbers at most ${tolerance} away from the plain device's`,
    fix: "use @qkv/wasm or `js()` here, and report the adapter's name.",
    ...(cause === undefined ? {} : { cause }),
  });
}

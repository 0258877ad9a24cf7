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
  const read = await computed.catch((error: unknown) => {
    throw refused(fn, adapter, "which fails in the self-test", error);
  });
  let worst = 0;
  read.forEach((numbers, i) => {
    const right = expected[i]!;
    const largest = Array.from(right).reduce((a, b) => Math.max(a, Math.abs(b)), 1);
    for (let k = 0; k < right.length; k++) {
      const distance = Math.abs(numbers[k]! - right[k]!) / largest;
      if (!(distance <= worst)) worst = distance;
    }
  });
  if (worst <= tolerance) return worst;
  throw refused(fn, adapter, `whose numbers in the self-test are ${worst} away`);
}

function refused(fn: string, adapter: string, because: string, cause?: unknown): DeviceError {
  return new DeviceError({
    fn,
    argument: "adapter",
    received: `${adapter}, ${because}`,
    expected: `numbers at most ${tolerance} away from the plain device's`,
    fix: "use @qkv/wasm or `js()` here, and report the adapter's name.",
    ...(cause === undefined ? {} : { cause }),
  });
}

import { checks } from "@qkv/core";
import { tensor, uniform, type Device } from "@qkv/tensor";
import type { BatchAt } from "../training/batch.js";

/** Options of the task of palindromes. */
export type PalindromeOptions = {
  /** Number of digits per row, even. Default 12. */
  length?: number;
  /** Number of different digits. Default 10. */
  numDigits?: number;
  /** B. Default 64. */
  batchSize?: number;
  /** An integer: another seed gives other rows. */
  seed: number;
  /** Device of the tensors. Default: the plain JavaScript device. */
  device?: Device;
};

/**
 * Rows of digits, `start 1 2 2 1 end`, with one target at `end`: 1 for a palindrome, else 0. Half of the rows are palindromes. Half of
 * the others have one digit changed, and the rest are drawn at random. The id of `start` is `numDigits`, that of `end` one more.
 *
 * @returns `batchAt` for `train`: ids and targets `[B, length + 2]`. The same step gives the same batch.
 * @throws {ArgumentError} If the length is odd, or there are fewer than two digits.
 *
 * @example
 * ```ts
 * import { palindromeBatches } from "@qkv/transformer/tasks";
 *
 * const { ids, targets } = palindromeBatches({ length: 4, batchSize: 8, seed: 1 })(0);
 * const [start, a, b, c, d, end] = ids.data;
 * [start, end]; // => [10, 11]
 * targets.data[5] === Number(a === d && b === c); // => true
 * ```
 */
export function palindromeBatches(options: PalindromeOptions): BatchAt {
  const check = checks("palindromeBatches");
  const names = ["length", "numDigits", "batchSize", "seed", "device"] as const;
  const given = check.options(options, names);
  const { length = 12, numDigits = 10, batchSize: B = 64, seed, device } = given;
  check.whole({ length }, { min: 2, unit: "digits" });
  check.each({ length }, () => length % 2 === 0, "an even number of digits", "leave out the middle one.");
  check.whole({ numDigits }, { min: 2 });
  check.whole({ batchSize: B }, { min: 1 });
  check.whole({ seed });
  const T = length + 2;
  const idTensor = (rows: Int32Array) =>
    tensor(rows, { shape: [B, T], dtype: "int32", ...(device && { device }) });
  return (step) => {
    const { data } = uniform([B, length + 3], { seed, draw: step, dtype: "float64" });
    const [ids, targets] = [new Int32Array(B * T), new Int32Array(B * T).fill(-100)];
    for (let b = 0; b < B; b++) {
      const [kind, positionDraw, changeDraw, ...digitDraws] = data.subarray(
        b * (length + 3),
        (b + 1) * (length + 3),
      );
      const digits = digitDraws.map((x) => Math.floor(x * numDigits));
      if (kind! >= 0.25) for (let n = 0; n < length / 2; n++) digits[length - 1 - n] = digits[n]!;
      if (kind! >= 0.25 && kind! < 0.5) {
        const position = Math.floor(positionDraw! * length);
        digits[position] = (digits[position]! + 1 + Math.floor(changeDraw! * (numDigits - 1))) % numDigits;
      }
      ids.set([numDigits, ...digits, numDigits + 1], b * T);
      targets[b * T + T - 1] = Number(digits.every((digit, n) => digit === digits[length - 1 - n]));
    }
    return { ids: idTensor(ids), targets: idTensor(targets) };
  };
}

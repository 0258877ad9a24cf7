import { panelRows } from "./quantized-weight.js";

/**
 * Reads the integer of output n and input k of a quantized weight, from its `data`.
 *
 * @param steps - Steps of a panel. A step has 4 bytes for each output of the panel: 4 inputs of 8 bits, or 8 of 4.
 */
export function wholeNumber(
  data: ArrayLike<number>,
  bits: 4 | 8,
  steps: number,
  n: number,
  k: number,
): number {
  const inputsPerStep = bits === 8 ? 4 : 8;
  const row =
    (Math.floor(n / panelRows) * steps + Math.floor(k / inputsPerStep)) * panelRows + (n % panelRows);
  const byte = data[row * 4 + (k % 4)]!;
  if (bits === 8) return byte;
  return (k % 8 < 4 ? byte & 15 : byte >> 4) - 8;
}

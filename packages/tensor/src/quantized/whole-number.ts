import { panelRows } from "./quantized-weight.js";

/** Reads the integer of output n and input k of a quantized weight. */
export function wholeNumber(
  data: ArrayLike<number>,
  bits: 4 | 8,
  steps: number,
  n: number,
  k: number,
): number {
  const inStep = bits === 8 ? 4 : 8;
  const row = (Math.floor(n / panelRows) * steps + Math.floor(k / inStep)) * panelRows + (n % panelRows);
  const byte = data[row * 4 + (k % 4)]!;
  if (bits === 8) return byte;
  return (k % 8 < 4 ? byte & 15 : byte >> 4) - 8;
}

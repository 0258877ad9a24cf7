import { sinusoidal, type Positions } from "@qkv/attention";
import { isList } from "@qkv/core";
import { concat, reshape, take, tensor, type Device, type Tensor } from "@qkv/tensor";

/** Options of sinusoidal positions of translation models: all sines, then all cosines. */
export type SinusoidConfig = {
  /** The position of the first token. Default 0. */
  first?: number;
  /**
   * True: the lowest frequency is 1 / 10000, as in tensor2tensor (M2M-100, Whisper). Default false: it is one step higher, as
   * in the paper (Marian).
   */
  inclusive?: boolean;
};

/**
 * Sinusoidal position vectors, with sines in the first half and cosines in the second, `[T, C]`, or `[B, T, C]` for a list of
 * B · T positions.
 *
 * @param shape - B, T and C of the rows to which they are added.
 * @see "Attention Is All You Need" (2017), arXiv:1706.03762, section 3.5
 */
export function sinusoidalPositions(
  positions: Positions,
  [B, T, C]: readonly [B: number, T: number, C: number],
  { first = 0, inclusive = false }: SinusoidConfig,
  device: Device,
): Tensor {
  const positionList = isList(positions)
    ? Array.from(positions as ArrayLike<number>, (position) => first + position)
    : Array.from({ length: T }, (_, t) => first + (positions as { start: number }).start + t);
  const half = C / 2;
  const base = inclusive && half > 1 ? 10000 ** (half / (half - 1)) : 10000;
  const interleaved = sinusoidal(positionList, C, { base }); // sines and cosines are interleaved
  const halves = [0, 1].map((part) =>
    take(interleaved, 1, tensor(Int32Array.from({ length: half }, (_, i) => 2 * i + part))),
  );
  const rows = concat(halves, 1);
  return (positionList.length === T ? rows : reshape(rows, [B, T, C])).to(device);
}

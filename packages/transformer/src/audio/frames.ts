import { checks, refuseShape, sizeOf } from "@qkv/core";
import { gather, pad, reshape, tensor, type Tensor } from "@qkv/tensor";

/** Options of {@link frameWaveform}. */
export type Framing = {
  frameLength: number;
  hopLength: number;
  /** True: frame i is centered at sample `i · hopLength`, with padding at both ends. */
  center: boolean;
  padding: "reflect" | "constant";
};

/**
 * Overlapping frames of waveforms `[…, L]`, as `[N, frames, frameLength]` with the first axes flattened to N. The padding at both
 * ends is half a frame.
 */
export function frameWaveform(fn: string, waveform: Tensor, framing: Framing): Tensor {
  const { frameLength, hopLength, center, padding } = framing;
  checks(fn).whole({ frameLength, hopLength }, { min: 1, unit: "samples" });
  const L = waveform.shape.at(-1) ?? 0;
  const half = center ? Math.floor(frameLength / 2) : 0;
  const reflects = half > 0 && padding === "reflect";
  if (L + 2 * half < frameLength || (reflects && L <= half)) {
    const least = reflects ? half + 1 : Math.max(1, frameLength - 2 * half);
    refuseShape(
      fn,
      "waveform",
      waveform.shape,
      `${least} or more samples on the last axis`,
      "pad it with zeros.",
    );
  }
  const N = sizeOf(waveform.shape) / L;
  const rows = reshape(waveform, [N, L]);
  const source = half > 0 && !reflects ? pad(rows, 1, half, half) : rows;
  const count = 1 + Math.floor((L + 2 * half - frameLength) / hopLength);
  const shift = reflects ? half : 0;
  const indices = new Int32Array(N * count * frameLength);
  for (let frame = 0, at = 0; frame < count; frame++) {
    for (let i = frame * hopLength; i < frame * hopLength + frameLength; i++)
      indices[at++] = mirrored(i - shift, source.shape[1]!);
  }
  const perRow = count * frameLength;
  for (let row = 1; row < N; row++) indices.copyWithin(row * perRow, 0, perRow);
  const sampleIndices = tensor(indices, { shape: [N, perRow], device: waveform.device });
  return reshape(gather(source, 1, sampleIndices), [N, count, frameLength]);
}

/** Reflects an index beyond an end of the waveform to the inside. */
function mirrored(at: number, length: number): number {
  if (at < 0) return -at;
  return at < length ? at : 2 * (length - 1) - at;
}

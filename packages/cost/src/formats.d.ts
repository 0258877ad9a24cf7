/** How numbers are stored. */
export type Format = {
  readonly name: string;
  /** Scales of blocks included, so it may be a fraction. */
  readonly bytesPerNumber: number;
};
/**
 * Numbers stored alone: `float32`, `float16`, `bfloat16`, `float8`.
 *
 * @example
 * ```ts
 * import { formats } from "@qkv/cost";
 *
 * formats.float16.bytesPerNumber; // => 2
 * ```
 */
export declare const formats: {
  readonly float32: {
    readonly name: "float32";
    readonly bytesPerNumber: 4;
  };
  readonly float16: {
    readonly name: "float16";
    readonly bytesPerNumber: 2;
  };
  readonly bfloat16: {
    readonly name: "bfloat16";
    readonly bytesPerNumber: 2;
  };
  readonly float8: {
    readonly name: "float8";
    readonly bytesPerNumber: 1;
  };
};
/**
 * Numbers of a few bits, in blocks that share a scale.
 *
 * @param options - `bits` a number; `blockSize` numbers that share a scale, default 32; `scaleBits` of the scale,
 *   with a shift where there is one, default 16.
 * @throws {ArgumentError} If one of them is no whole number of at least 1.
 *
 * @example
 * ```ts
 * import { quantized } from "@qkv/cost";
 *
 * quantized({ bits: 4 }).bytesPerNumber; // => 0.5625
 * quantized({ bits: 8, blockSize: 64 }).name; // => "int8, scales of 16 bits for 64"
 * quantized({ bits: 0 }); // => throws ArgumentError
 * ```
 */
export declare function quantized({
  bits,
  blockSize,
  scaleBits,
}: {
  bits: number;
  blockSize?: number;
  scaleBits?: number;
}): Format;

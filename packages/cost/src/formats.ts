import { checks } from "@qkv/core";

/** Storage format of numbers. */
export type Format = {
  readonly name: string;
  /** Scales of blocks included, so it may be a fraction. */
  readonly bytesPerNumber: number;
};

/** Storage formats of numbers. Default: float16, all of them. */
export type Formats = {
  readonly weights: Format;
  readonly activations: Format;
  readonly cache: Format;
};

/**
 * Formats that store each number separately: `float32`, `float16`, `bfloat16`, `float8`.
 *
 * @example
 * ```ts
 * import { formats } from "@qkv/cost";
 *
 * formats.float16.bytesPerNumber; // => 2
 * ```
 */
export const formats = {
  float32: { name: "float32", bytesPerNumber: 4 },
  float16: { name: "float16", bytesPerNumber: 2 },
  bfloat16: { name: "bfloat16", bytesPerNumber: 2 },
  float8: { name: "float8", bytesPerNumber: 1 },
} as const satisfies Record<string, Format>;

/**
 * Formats with a few bits per number, in blocks that share a scale.
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
export function quantized(options: { bits: number; blockSize?: number; scaleBits?: number }): Format {
  const check = checks("quantized");
  const { bits, blockSize = 32, scaleBits = 16 } = check.options(options, ["bits", "blockSize", "scaleBits"]);
  const fix = "write quantized({ bits: 4, blockSize: 32, scaleBits: 16 }).";
  check.whole({ bits, blockSize, scaleBits }, { min: 1, fix });
  return {
    name: `int${bits}, scales of ${scaleBits} bits for ${blockSize}`,
    bytesPerNumber: (bits + scaleBits / blockSize) / 8,
  };
}

import { checks } from "@qkv/core";

/** Storage format of numbers. */
export type Format = {
  readonly name: string;
  /** Includes the scales of blocks, so it may be a fraction. */
  readonly bytesPerNumber: number;
};

/** Storage formats by use. Default: float16 for each. */
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
 * Creates a block-quantized format: a few bits per number, and a scale for each block.
 *
 * @param options - `bits` per number; `blockSize`: elements that share a scale, default 32; `scaleBits`: bits of the scale, and
 *   of the zero point if there is one, default 16.
 * @throws {ArgumentError} If one of them is not an integer of at least 1.
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

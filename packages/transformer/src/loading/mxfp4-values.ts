/** Magnitudes of 4-bit floats (E2M1): one sign bit, two exponent bits, one mantissa bit. */
const magnitudes = [0, 0.5, 1, 1.5, 2, 3, 4, 6];

/**
 * The value of a 4-bit float, without the scale of its block.
 *
 * @see "OCP Microscaling Formats (MX) Specification" 1.0 (2023), section 5.3.3
 */
export const mxfp4Value = (bits: number): number => (bits < 8 ? magnitudes[bits]! : -magnitudes[bits - 8]!);

/** The scale of a block, from its exponent byte (E8M0). 2^−127 is subnormal in float32; products are exact. */
export const mxfp4Scale = (exponent: number): number => 2 ** (exponent - 127);

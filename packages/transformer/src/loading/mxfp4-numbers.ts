/** Numbers of 4 bits: a sign, two bits of exponent, one of mantissa. */
const numbers = [0, 0.5, 1, 1.5, 2, 3, 4, 6];

/**
 * The number of 4 bits, before the scale of its block.
 *
 * @see "OCP Microscaling Formats (MX) Specification" 1.0 (2023), section 5.3.3
 */
export const mxfp4Number = (bits: number): number => (bits < 8 ? numbers[bits]! : -numbers[bits - 8]!);

/** The scale of a block, from the byte of its exponent. 2 to the power of −127 is subnormal in float32; products are exact. */
export const mxfp4Scale = (exponent: number): number => 2 ** (exponent - 127);

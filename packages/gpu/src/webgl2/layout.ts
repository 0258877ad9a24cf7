/**
 * Layout of numbers in a texture: row-major, four to a texel. A row has a power of two of texels, so that an index
 * becomes coordinates by a shift and a mask; a division costs more than the fetch itself.
 */
export type TextureLayout = {
  /** Binary logarithm of the width: a row has 2^bits texels. */
  readonly bits: number;
  readonly width: number;
  readonly height: number;
};

/** The layout of a number of texels: about square, with at least two rows because gpu.js changes the shape of a single row. */
export function textureLayout(texels: number): TextureLayout {
  const bits = Math.max(0, Math.ceil(Math.log2(Math.sqrt(Math.max(1, texels)))));
  const width = 2 ** bits;
  return { bits, width, height: Math.max(2, Math.ceil(texels / width)) };
}

/** True if a texture has the layout of a result of `length` numbers: both then have the same index at the same coordinates. */
export function hasResultLayout({ width }: Pick<TextureLayout, "width">, length: number): boolean {
  return width === textureLayout(Math.ceil(length / 4)).width;
}

/**
 * Layout of numbers in a texture: row-major, four to a texel. A row of texels is a power of two long, so that a
 * place is a shift and a mask; divisions cost more than the fetch itself.
 */
export type TextureLayout = {
  /** A row holds 2^bits texels. */
  readonly bits: number;
  readonly width: number;
  readonly height: number;
};

/** About square. Two rows at least: gpu.js keeps the shape of outputs with more than one. */
export function layoutOf(texels: number): TextureLayout {
  const bits = Math.max(0, Math.ceil(Math.log2(Math.sqrt(Math.max(1, texels)))));
  const width = 2 ** bits;
  return { bits, width, height: Math.max(2, Math.ceil(texels / width)) };
}

/** Returns true if a texture has the layout of a result of so many numbers. */
export function liesAlike({ width }: Pick<TextureLayout, "width">, length: number): boolean {
  return width === layoutOf(Math.ceil(length / 4)).width;
}

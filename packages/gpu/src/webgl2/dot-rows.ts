import type { Texture } from "./shaders.js";

/**
 * Lines of `rowTexels` texels each in a texture, such as rows of a matrix. The offset of each is a sum of multiples of `steps`,
 * in texels.
 */
export type Lines = {
  readonly texture: Texture;
  readonly rowTexels: number;
  /** Offset of the first line, and the strides between lines. */
  readonly steps: readonly number[];
};

/** Returns true if every line lies within one row of the texture. */
export function stayInRow({ texture, rowTexels, steps }: Lines): boolean {
  // The width is a power of two, too: a line that starts at a multiple of `capacity` does not cross the end of a row.
  const capacity = 2 ** Math.ceil(Math.log2(rowTexels));
  return capacity <= texture.width && steps.every((step) => step % capacity === 0);
}

/** A line in GLSL: its input, its offset there in texels (an expression), and whether it lies in one row of the texture. */
export type Line = { readonly name: string; readonly start: string; readonly inRow: boolean };

/** GLSL that reads a line texel by texel with a variable `place`: its declaration, the texel, and the step to the next one. */
export function lineReaderText({ name, start, inRow }: Line, place: string) {
  return inRow
    ? {
        begin: `vec2 ${place} = ${name}Place(${start});`,
        read: `${name}By(${place})`,
        next: `${place}.x += ${name}Next;`,
      }
    : { begin: `int ${place} = ${start};`, read: `${name}4(${place})`, next: `${place} += 1;` };
}

/**
 * GLSL of a block of dot products: `vec4 sum0`, `sum1` and so on, for each line of `left` its dot products with the four
 * lines of `right`, of `count` texels each. Texture reads dominate the time, so each texel is used for at least four products.
 *
 * @param left - Lines with the same `start` lie in textures of one size, and share a variable for the place.
 * @param masked - True if numbers of `right` must be ignored where `left` is 0, because 0 · NaN is NaN. Default false.
 */
export function dotRows(
  left: readonly Line[],
  right: readonly Line[],
  count: string,
  masked = false,
): string {
  const starts = [...new Set(left.map(({ start }) => start))];
  const rows = left.map((line) => lineReaderText(line, `p${starts.indexOf(line.start)}`));
  const columns = right.map((line, c) => lineReaderText(line, `q${c}`));
  const readers = [
    ...rows.filter((_, r) => left.findIndex((one) => one.start === left[r]!.start) === r),
    ...columns,
  ];
  const sums = (column: (c: number, r: number) => string) =>
    rows
      .map((_, r) => `sum${r} += vec4(${columns.map((_, c) => `dot(a${r}, ${column(c, r)})`).join(", ")});`)
      .join("\n      ");
  const lines = (texels: readonly { read: string }[], name: string) =>
    texels.map(({ read }, n) => `vec4 ${name}${n} = ${read};`).join("\n    ");
  const allRows = (test: string, operator: string) =>
    rows.map((_, r) => `${test}(nonZero${r})`).join(` ${operator} `);
  const plain = sums((c) => `b${c}`);
  return `${rows.map((_, r) => `vec4 sum${r} = vec4(0.0);`).join("\n  ")}
  ${readers.map(({ begin }) => begin).join("\n  ")}
  for (int k = 0; k < ${count}; k++) {
    ${lines(rows, "a")}
    ${
      masked
        ? `${rows.map((_, r) => `bvec4 nonZero${r} = notEqual(a${r}, vec4(0.0));`).join("\n    ")}
    if (${allRows("any", "||")}) {
      ${lines(columns, "b")}
      if (${allRows("all", "&&")}) { ${plain} }
      else { ${sums((c, r) => `mix(vec4(0.0), b${c}, nonZero${r})`)} }
    }`
        : `${lines(columns, "b")}
    ${plain}`
    }
    ${readers.map(({ next }) => next).join(" ")}
  }`;
}

import type { Texture } from "./shaders.js";

/** Lines of texels in a texture: how many texels one has, and what all their beginnings are multiples of. */
export type Lines = {
  readonly texture: Texture;
  readonly wide: number;
  /** Offsets of the lines: the first, and the steps from one to another. */
  readonly steps: readonly number[];
};

/** Returns true if no line continues in the next row of its texture. */
export function stayInRow({ texture, wide, steps }: Lines): boolean {
  const power = 2 ** Math.ceil(Math.log2(wide));
  return power <= texture.width && steps.every((step) => step % power === 0);
}

/** A line in GLSL: the input it lies in, where it begins there, and whether it stays in a row of that texture. */
export type Line = { readonly name: string; readonly start: string; readonly inRow: boolean };

/** GLSL that reads a line texel by texel, at `place`: how to begin, what the texel is, how to go on. */
export function walkText({ name, start, inRow }: Line, place: string) {
  return inRow
    ? {
        begin: `vec2 ${place} = ${name}Place(${start});`,
        read: `${name}By(${place})`,
        next: `${place}.x += ${name}Next;`,
      }
    : { begin: `int ${place} = ${start};`, read: `${name}4(${place})`, next: `${place} += 1;` };
}

/**
 * GLSL of a block of products: `vec4 sum0`, `sum1` and so on, one for each line of `left`, with the products of that
 * line and the four of `right`, `count` texels each. A texel that was read is used for four products or more, because
 * reading is what takes time.
 *
 * @param left - Lines that begin at the same text lie in textures of one size, and are walked together.
 * @param masked - True: where a texel of `left` has zeros, that of `right` does not count: 0 · NaN must not leak.
 */
export function dotRows(
  left: readonly Line[],
  right: readonly Line[],
  count: string,
  masked = false,
): string {
  const starts = [...new Set(left.map(({ start }) => start))];
  const rows = left.map((line) => walkText(line, `p${starts.indexOf(line.start)}`));
  const columns = right.map((line, c) => walkText(line, `q${c}`));
  const walks = [
    ...rows.filter((_, r) => left.findIndex((one) => one.start === left[r]!.start) === r),
    ...columns,
  ];
  const sums = (column: (c: number, r: number) => string) =>
    rows
      .map((_, r) => `sum${r} += vec4(${columns.map((_, c) => `dot(a${r}, ${column(c, r)})`).join(", ")});`)
      .join("\n      ");
  const lines = (texels: readonly { read: string }[], name: string) =>
    texels.map(({ read }, n) => `vec4 ${name}${n} = ${read};`).join("\n    ");
  const every = (test: string, joint: string) => rows.map((_, r) => `${test}(some${r})`).join(` ${joint} `);
  const plain = sums((c) => `b${c}`);
  return `${rows.map((_, r) => `vec4 sum${r} = vec4(0.0);`).join("\n  ")}
  ${walks.map(({ begin }) => begin).join("\n  ")}
  for (int k = 0; k < ${count}; k++) {
    ${lines(rows, "a")}
    ${
      masked
        ? `${rows.map((_, r) => `bvec4 some${r} = notEqual(a${r}, vec4(0.0));`).join("\n    ")}
    if (${every("any", "||")}) {
      ${lines(columns, "b")}
      if (${every("all", "&&")}) { ${plain} }
      else { ${sums((c, r) => `mix(vec4(0.0), b${c}, some${r})`)} }
    }`
        : `${lines(columns, "b")}
    ${plain}`
    }
    ${walks.map(({ next }) => next).join(" ")}
  }`;
}

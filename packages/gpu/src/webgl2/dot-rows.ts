import type { Texture } from "./shaders.js";

/** Lines of texels in a texture: how many texels one has, and what all their beginnings are multiples of. */
export type Lines = {
  readonly texture: Texture;
  readonly wide: number;
  /** Where lines begin: the first, and the steps from one to another. */
  readonly steps: readonly number[];
};

/** Whether no line goes on in the next row of its texture. */
export function stayInRow({ texture, wide, steps }: Lines): boolean {
  const power = 2 ** Math.ceil(Math.log2(wide));
  return power <= texture.width && steps.every((step) => step % power === 0);
}

/**
 * GLSL that adds to `vec4 sum` the products of one line of `a` with four lines of `b`, `count` texels each.
 *
 * @param starts - Where the line of `a` begins, and the four of `b`.
 * @param masked - Where a texel of `a` has zeros, what `b` has there is not read: 0 · NaN must not leak.
 */
export function dotRows(
  [a, b]: readonly [string, string],
  [from, ...to]: readonly [string, string, string, string, string],
  count: string,
  inRow: { readonly a: boolean; readonly b: boolean },
  masked = false,
): string {
  const walk = (name: string, row: boolean, variable: string, start: string) =>
    row
      ? {
          begin: `vec2 ${variable} = ${name}Place(${start});`,
          read: `${name}By(${variable})`,
          next: `${variable}.x += ${name}Next;`,
        }
      : { begin: `int ${variable} = ${start};`, read: `${name}4(${variable})`, next: `${variable} += 1;` };
  const left = walk(a, inRow.a, "place", from);
  const right = to.map((start, n) => walk(b, inRow.b, `place${n}`, start));
  const sum = (read: (n: number) => string) =>
    `sum += vec4(${right.map((_, n) => `dot(line, ${read(n)})`).join(", ")});`;
  const plain = sum((n) => right[n]!.read);
  return `${[left, ...right].map(({ begin }) => begin).join("\n  ")}
  for (int k = 0; k < ${count}; k++) {
    vec4 line = ${left.read};
    ${
      masked
        ? `bvec4 some = notEqual(line, vec4(0.0));
    if (all(some)) { ${plain} }
    else if (any(some)) { ${sum((n) => `mix(vec4(0.0), ${right[n]!.read}, some)`)} }`
        : plain
    }
    ${[left, ...right].map(({ next }) => next).join(" ")}
  }`;
}

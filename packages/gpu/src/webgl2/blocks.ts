import { quotient } from "./glsl.js";
import { computeByNumber } from "./numbers.js";
import { maxResults, type Run, type Texture } from "./shaders.js";

/**
 * The division of the rows (lines) of each group, such as the queries that share keys, into blocks of `height` consecutive
 * rows, which one thread computes together. The results are in `height` textures: the first has the first row of every block,
 * the second the second row, and so on. If the last block of a group is not full, it computes the group's last row again.
 *
 * `lines`: rows per group. `perGroup`: blocks per group.
 */
export type Blocks = { readonly lines: number; readonly height: number; readonly perGroup: number };

/** Blocks of as many rows as a shader can have results; of one row if a group has only one or two. */
export function blockLayout(lines: number): Blocks {
  const height = lines > 2 ? maxResults : 1;
  return { lines, height, perGroup: Math.ceil(lines / height) };
}

/** One text for each row of a block. */
export function eachLine<T>({ height }: Blocks, text: (line: number) => T): T[] {
  return Array.from({ length: height }, (_, line) => text(line));
}

const names = ["a", "b", "c", "d"];

/**
 * The run that copies the rows of blocks into one row-major tensor.
 *
 * @param textures - One for each row of a block.
 * @param rowTexels - Texels of a row, padding included.
 * @param count - Numbers of a row without its padding: a number, or the name of one of `ints`.
 * @param value - GLSL of a result, computed from the number `x`.
 */
export function rowsOfBlocks(
  { lines, height, perGroup }: Blocks,
  textures: readonly Texture[],
  {
    rowTexels,
    count,
    ints = {},
    value = "x",
  }: { rowTexels: number; count: number | string; ints?: Run["ints"]; value?: string },
): Omit<Run, "length"> {
  const inTexels = typeof count === "number" && count % 4 === 0 && value === "x";
  const place = `int group = ${quotient("row", lines)};
  int line = row - group * ${lines};
  int block = group * ${perGroup} + ${quotient("line", height)};
  int at = block * ${inTexels ? rowTexels : rowTexels * 4} + k;`;
  const pick = (kind: number) =>
    textures
      .map(
        (_, line) =>
          `${line === height - 1 ? "" : `if (line % ${height} == ${line}) `}return ${names[line]}${kind}(at);`,
      )
      .join("\n  ");
  const text = inTexels
    ? `vec4 compute(int i) {
  int row = ${quotient("i", count / 4)};
  int k = i - row * ${count / 4};
  ${place}
  ${pick(4)}
}`
    : `float stored(int row, int k) {
  ${place}
  ${pick(1)}
}
float number(int n) {
  int row = n / ${count};
  float x = stored(row, n - row * ${count});
  return ${value};
}
${computeByNumber}`;
  return {
    name: "rowsOfBlocks",
    text,
    inputs: Object.fromEntries(textures.map((texture, line) => [names[line]!, texture])),
    ints,
  };
}

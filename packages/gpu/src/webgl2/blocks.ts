import { quotient } from "./glsl.js";
import { oneByOne } from "./numbers.js";
import { mostResults, type Run, type Texture } from "./shaders.js";

/**
 * Lines that threads compute several of at once. Of each group the lines follow each other; a thread takes `height` of
 * them, and its results are in as many textures: the first has the first lines of all blocks, and so on. A last block
 * that is not full computes the last line again.
 */
export type Blocks = { readonly lines: number; readonly height: number; readonly perGroup: number };

/** @param lines - Lines of a group. One or two need no block. */
export function blocksOf(lines: number): Blocks {
  const height = lines > 2 ? mostResults : 1;
  return { lines, height, perGroup: Math.ceil(lines / height) };
}

/** One text for each line of a block. */
export function eachLine<T>({ height }: Blocks, text: (line: number) => T): T[] {
  return Array.from({ length: height }, (_, line) => text(line));
}

const names = ["a", "b", "c", "d"];

/**
 * Blocks back in rows, as tensors lie.
 *
 * @param textures - One for each line of a block.
 * @param wide - Texels of a line.
 * @param count - Numbers of a line that count: a number, or the name of one of `ints`.
 * @param value - GLSL of a result, from `x`.
 */
export function rowsOfBlocks(
  { lines, height, perGroup }: Blocks,
  textures: readonly Texture[],
  {
    wide,
    count,
    ints = {},
    value = "x",
  }: { wide: number; count: number | string; ints?: Run["ints"]; value?: string },
): Omit<Run, "length"> {
  const inTexels = typeof count === "number" && count % 4 === 0 && value === "x";
  const place = `int group = ${quotient("row", lines)};
  int line = row - group * ${lines};
  int block = group * ${perGroup} + ${quotient("line", height)};
  int at = block * ${inTexels ? wide : wide * 4} + k;`;
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
${oneByOne}`;
  return {
    name: "rowsOfBlocks",
    text,
    inputs: Object.fromEntries(textures.map((texture, line) => [names[line]!, texture])),
    ints,
  };
}

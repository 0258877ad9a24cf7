import { sizeOf } from "@qkv/core";
import type { View } from "@qkv/tensor";
import { mergeAxes } from "../../axes.js";
import type { Gl } from "../gl.js";
import type { Texture } from "../shaders.js";
import { offsetText } from "../offset-text.js";

/**
 * Concatenates tensors along axis -2, in row-major order, and pads each row with zeros to whole texels.
 *
 * @param parts - Tensors of the same shape except for axis -2, whose length may change without compiling a new shader.
 */
export function packRows({ shaders, store }: Gl, parts: readonly View[]): Texture {
  const [first] = parts as [View];
  const inner = first.shape.at(-1)!;
  const rowTexels = Math.ceil(inner / 4);
  const outer = first.shape.slice(0, -2);
  const rows = parts.reduce((sum, { shape }) => sum + shape.at(-2)!, 0);
  const ints: Record<string, number> = { rowCount: rows };
  const inputs: Record<string, Texture> = {};
  let end = 0;
  const branches = parts.map((part, p) => {
    const name = `part${p}x`;
    inputs[name] = store.bufferOf(part);
    ints[`at${p}`] = part.offset;
    ints[`step${p}`] = part.strides.at(-2)!;
    ints[`begin${p}`] = end;
    end += part.shape.at(-2)!;
    const axes = mergeAxes(outer, [part.strides.slice(0, -2)]);
    const last = part.strides.at(-1)!;
    const test = p === parts.length - 1 ? "" : `if (row < begin${p + 1}) `;
    return `${test}{
    int n = batch;
    ${offsetText(axes, ["from"], [`at${p} + (row - begin${p}) * step${p}`])}
    return ${name}1(from + d * ${last});
  }`;
  });
  return shaders.run({
    name: "packRows",
    text: `float number(int row, int batch, int d) {
  if (d >= ${inner}) return 0.0;
  ${branches.join("\n  ")}
}
vec4 compute(int i) {
  int row = i / ${rowTexels};
  int d = (i - row * ${rowTexels}) * 4;
  int batch = row / rowCount;
  row -= batch * rowCount;
  return vec4(number(row, batch, d), number(row, batch, d + 1), number(row, batch, d + 2), number(row, batch, d + 3));
}`,
    inputs,
    ints,
    length: sizeOf(outer) * rows * rowTexels * 4,
  });
}

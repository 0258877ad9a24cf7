import type { Stack } from "./model-shape.js";
import { norm, perRow, pointwise, product, type Part, type Rows } from "./part.js";

/** The convolutions in front of an encoder that hears or sees, and learned rows beside those that they make. */
export function convolutionParts(
  { convolutions, classTokens = 0, registers = 0, maskToken = false }: Stack,
  embedDim: number,
  rows: Rows,
): Part[] {
  // From the last to the first: the rows of one are the output, those before it what it reads.
  const lengths: Rows[] = [];
  let length: Rows = (run) => rows(run) / run.batchSize - classTokens - registers;
  for (const { kernel, stride, padded = true } of [...convolutions].reverse()) {
    lengths.unshift(length);
    const outputs = length;
    length = (run) => (padded ? outputs(run) * stride : (outputs(run) - 1) * stride + kernel);
  }
  const learned = (name: string, count: number, images: Rows = ({ batchSize }) => batchSize) =>
    perRow(name, images, {
      parameters: count * embedDim,
      flops: 0,
      activations: count * embedDim,
      calls: 1,
    });
  return [
    ...convolutions.flatMap(({ kernel, inputs, outputs, bias = true, ...following }, i): Part[] => {
      const own: Rows = (run) => (rows(run) === 0 ? 0 : run.batchSize * lengths[i]!(run));
      return [
        product("convolution", own, { inputs: kernel * inputs, outputs, bias }),
        ...(following.activation ? [pointwise("convolution activation", own, outputs, 1)] : []),
        // All channels have one mean and variance; gains and shifts are those of each channel.
        ...(following.norm
          ? [
              norm("convolution norm", own, "layer", outputs),
              pointwise("convolution gain and shift", own, outputs, 1, 2),
            ]
          : []),
      ];
    }),
    ...(classTokens > 0 ? [learned("class token", classTokens)] : []),
    ...(registers > 0 ? [learned("registers", registers)] : []),
    ...(maskToken ? [learned("mask token", 1, () => 0)] : []),
  ];
}

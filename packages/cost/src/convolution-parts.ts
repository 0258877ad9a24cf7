import type { Stack } from "./model-shape.js";
import { norm, perRow, pointwise, product, type Part, type Rows } from "./part.js";

/** Convolutions before an encoder of audio or images, and its learned tokens. */
export function convolutionParts(
  { convolutions, classTokens = 0, registers = 0, maskToken = false }: Stack,
  embedDim: number,
  rows: Rows,
): Part[] {
  // Lengths from the last convolution to the first: the output of one is the input of the next.
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
      const outputRows: Rows = (run) => (rows(run) === 0 ? 0 : run.batchSize * lengths[i]!(run));
      return [
        product("convolution", outputRows, { inputs: kernel * inputs, outputs, bias }),
        ...(following.activation ? [pointwise("convolution activation", outputRows, outputs, 1)] : []),
        // A group norm with one group: mean and variance over all channels, gain and bias per channel.
        ...(following.norm
          ? [
              norm("convolution norm", outputRows, "layer", outputs),
              pointwise("convolution gain and shift", outputRows, outputs, 1, 2),
            ]
          : []),
      ];
    }),
    ...(classTokens > 0 ? [learned("class token", classTokens)] : []),
    ...(registers > 0 ? [learned("registers", registers)] : []),
    // Used only in training: a pass has no row of it.
    ...(maskToken ? [learned("mask token", 1, () => 0)] : []),
  ];
}

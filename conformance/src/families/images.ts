import { imageProcessor, readImageProcessorConfig } from "@qkv/transformer";
import type { DataFolder } from "../../data-folder.mjs";
import type { Case, Source, Target } from "../case.js";
import { compareNumbers, type Check, type Values } from "../check.js";
import { readCases } from "../data-files.js";
import { readTensor } from "../reference-tensor.js";
import { compareTensor } from "../to-tensor.js";
import { tolerance } from "../tolerance.js";

/** An entry of `preprocessing.json`: `attributes` are fields of an image processor's configuration. */
export type ImageEntry = {
  attributes: Record<string, unknown>;
  inputs: unknown[];
  outputs: unknown[];
};

const folder = "images";

/** `images/*.json`: pixels after resizing, and the pixel values of image processors. */
export function images(data: DataFolder): Source[] {
  return data.names(folder, ".json").map((name) => {
    const file = `${folder}/${name}`;
    const cases = readCases(data, file, ({ name, value }): Case => ({
      name,
      run: (target) => compareImage(value as ImageEntry, target),
    }));
    return { family: folder, file, cases };
  });
}

/** Compares a processor's pixel values with the outputs of a case. */
export async function compareImage(
  { attributes, inputs, outputs }: ImageEntry,
  target: Target,
): Promise<Check[]> {
  const [{ values, shape }] = inputs.map(readTensor) as [ReturnType<typeof readTensor>];
  const [height, width] = shape as [number, number];
  const image = { data: values as Uint8Array, width, height };
  const processor = imageProcessor(readImageProcessorConfig(attributes));
  const resized = processor.resized(image);
  const pixels = processor.apply(image, { device: target.device });
  return Promise.all(
    outputs.map(readTensor).map((reference): Check | Promise<Check> => {
      if (reference.name === "pixel_values") {
        const [C, H, W] = reference.shape as [number, number, number];
        const batch = { ...reference, shape: [1, C, H, W] };
        return compareTensor(pixels, batch, tolerance("embedding", target.class));
      }
      const ours: Values = { shape: [resized.height, resized.width, 3], values: resized.data };
      const limit = tolerance("gray levels", target.class);
      return compareNumbers(reference.name, ours, reference as Values, limit, { absolute: true });
    }),
  );
}

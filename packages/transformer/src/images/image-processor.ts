import { checks, ShapeError, type Checks } from "@qkv/core";
import { concat, tensor, type Device, type Tensor } from "@qkv/tensor";
import { rgbImage, type RawImage, type RgbImage } from "./raw-image.js";
import { resamplings, resizeImage, type Resampling } from "./resize-image.js";

/** Sides of an image. Unit: pixels. */
export type ImageSides = { height: number; width: number };

/** Steps of an image processor, in order of execution. */
export type ImageProcessorConfig = {
  /** Length of the shorter side, keeping the aspect ratio, or both sides. Default: no resizing. */
  resize?: ImageSides | { shortestEdge: number };
  /** Filter of `resize`. Default `bilinear`. */
  resampling?: Resampling;
  /** Size of a center crop. Smaller images are padded with zeros. Default: no crop. */
  crop?: ImageSides;
  /** Multiplies the bytes. Default 1 / 255. */
  rescale?: number;
  /** Subtracted from each channel after `rescale`. Default 0. */
  mean?: readonly [red: number, green: number, blue: number];
  /** Divides each channel after `mean` is subtracted. Default 1. */
  std?: readonly [red: number, green: number, blue: number];
};

/** Converts pixels to the input of an image model. */
export type ImageProcessor = {
  readonly config: ImageProcessorConfig;
  /** Applies `resize` only: an image of 8-bit red, green and blue. */
  resized(image: RawImage): RgbImage;
  /** Images to `[B, 3, height, width]`, float32. */
  apply(images: RawImage | readonly RawImage[], options?: { device?: Device }): Tensor;
};

/**
 * Preprocessing for an image model: resizing as in Pillow, a center crop, rescaling, and normalization with the mean and deviation
 * of the training data.
 *
 * @param config - See {@link ImageProcessorConfig}; {@link readImageProcessorConfig} reads one from a file.
 * @throws {ArgumentError} If a number or a size is invalid.
 *
 * @example
 * ```ts
 * import { imageProcessor } from "@qkv/transformer";
 *
 * const processor = imageProcessor({
 *   resize: { height: 2, width: 2 }, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5],
 * });
 * const white = { data: new Uint8Array(4 * 6 * 3).fill(255), width: 6, height: 4 };
 * const pixels = processor.apply(white); // [B, 3, height, width]
 * pixels.shape; // => [1, 3, 2, 2]
 * pixels.data[0]; // => 1
 * ```
 */
export function imageProcessor(config: ImageProcessorConfig): ImageProcessor {
  const steps = checkConfig(config);
  const { resize, resampling, crop } = steps;
  const resized = (rgb: RgbImage): RgbImage =>
    resize
      ? resizeImage(
          rgb,
          "shortestEdge" in resize ? resizedSides(rgb, resize.shortestEdge) : resize,
          resampling,
        )
      : rgb;
  return {
    config,
    resized: (image) => resized(rgbImage(onApply, image)),
    apply(images, options) {
      const { device } = onApply.options(options, ["device"]);
      const list = Array.isArray(images) ? (images as readonly RawImage[]) : [images as RawImage];
      const fix = "give pixels, or a list of them.";
      onApply.each({ images }, () => list.length > 0, "an image, or a list of one or more", fix);
      const crops = list.map((image, i) => {
        const rgb = resized(rgbImage(onApply, image, list.length === 1 ? "image" : `images[${i}]`));
        return cropAndNormalize(rgb, crop ?? rgb, steps);
      });
      const [{ height, width }] = crops as [NormalizedImage];
      const mismatched = crops.find((crop) => crop.height !== height || crop.width !== width);
      if (mismatched)
        onApply.refuse(
          {
            argument: "images",
            received: `${mismatched.height} × ${mismatched.width} beside ${height} × ${width} pixels`,
            expected: "images of one size after the steps of the processor",
            fix: "give them one by one, or a `resize` with height and width, or a `crop`.",
          },
          ShapeError,
        );
      const onDevice = device && { device };
      return concat(
        crops.map(({ data }) => tensor(data, { shape: [1, 3, height, width], ...onDevice })),
        0,
      );
    },
  };
}

/** Normalized pixels `[3, height, width]`. */
type NormalizedImage = { readonly data: Float32Array; readonly height: number; readonly width: number };

type Steps = Pick<ImageProcessorConfig, "resize" | "crop"> &
  Required<Omit<ImageProcessorConfig, "resize" | "crop">>;

/** The normalized center crop, `[3, height, width]`. Pixels outside the image are 0 before normalization. */
function cropAndNormalize(
  image: RgbImage,
  { height, width }: ImageSides,
  { rescale, mean, std }: Steps,
): NormalizedImage {
  const data = new Float32Array(3 * height * width);
  const top = Math.floor((image.height - height) / 2);
  const left = Math.floor((image.width - width) / 2);
  for (let c = 0; c < 3; c++)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const [row, column] = [y + top, x + left];
        const inside = row >= 0 && row < image.height && column >= 0 && column < image.width;
        const byte = inside ? image.data[3 * (row * image.width + column) + c]! : 0;
        data[(c * height + y) * width + x] = (byte * rescale - mean[c]!) / std[c]!;
      }
  return { data, height, width };
}

/** Largest side of a configuration: several times that of published ones, and small enough for any memory. */
const maxSide = 4096;

/** The size after resizing the shorter side to this length. */
function resizedSides({ width, height }: RgbImage, shortest: number): ImageSides {
  const long = Math.floor((shortest * Math.max(width, height)) / Math.min(width, height));
  if (long * shortest > maxSide ** 2) {
    onApply.refuse({
      argument: "image",
      received: `${width} × ${height} pixels`,
      expected: `sides of which one, resized to ${shortest}, makes at most ${maxSide ** 2} pixels`,
      fix: "cut the image: it is a strip.",
    });
  }
  return width <= height ? { width: shortest, height: long } : { width: long, height: shortest };
}

const check: Checks = /* @__PURE__ */ checks("imageProcessor");
const onApply: Checks = /* @__PURE__ */ checks("imageProcessor.apply");
const names = ["resize", "resampling", "crop", "rescale", "mean", "std"] as const;

function checkConfig(config: ImageProcessorConfig): Steps {
  const isDefined = (value: unknown) => value !== undefined;
  check.each({ config }, isDefined, "the steps of a processor", "write {} for none but the factor 1 / 255.");
  const options = check.options(config, names, "config");
  const { resampling = "bilinear", rescale = 1 / 255, mean = [0, 0, 0], std = [1, 1, 1], ...sizes } = options;
  check.oneOf({ resampling }, resamplings);
  check.finite({ rescale });
  for (const [argument, size] of Object.entries(sizes)) {
    const sides = "shortestEdge" in size ? (["shortestEdge"] as const) : (["height", "width"] as const);
    const lengths: Record<string, number> = check.options(size as Record<string, number>, sides, argument);
    for (const side of sides)
      check.whole({ [`${argument}.${side}`]: lengths[side] }, { min: 1, max: maxSide, unit: "pixels" });
  }
  const isTriple = (list: unknown) => Array.isArray(list) && list.length === 3 && list.every(Number.isFinite);
  check.each({ mean, std }, isTriple, "a number for red, green and blue");
  check.each(
    { std },
    () => !std.includes(0),
    "numbers that are not 0",
    "take those of the model's training.",
  );
  return { ...sizes, resampling, rescale, mean, std };
}

import fc from "fast-check";
import { expect, test } from "vitest";
import { imageProcessor, type ImageProcessorConfig } from "./image-processor.js";
import { readImageProcessorConfig } from "./read-image-processor-config.js";
import type { RawImage } from "./raw-image.js";
import { resamplings } from "./resize-image.js";

const plain: ImageProcessorConfig = { rescale: 1 };
const gray = (values: readonly number[], width: number): RawImage => ({
  data: Uint8Array.from(values),
  width,
  height: values.length / width,
  channels: 1,
});
const redChannel = (config: ImageProcessorConfig, image: RawImage): number[] => {
  const { shape, data } = imageProcessor(config).apply(image);
  return [...data.subarray(0, shape[2]! * shape[3]!)].map(Number);
};

test("golden: reducing four pixels to two gives the values of Pillow 11, for each filter", () => {
  // By hand: the bilinear filter is widened to support 2, around positions 1 and 3.
  const line = gray([0, 100, 200, 50], 4);
  const resizedTo2 = (resampling: (typeof resamplings)[number]) =>
    redChannel({ ...plain, resize: { width: 2, height: 1 }, resampling }, line);
  expect(resizedTo2("nearest")).toEqual([100, 50]);
  expect(resizedTo2("box")).toEqual([50, 125]);
  // Pixels 0, 1, 2 have the weights 0.75, 0.75, 0.25: (75 + 50) / 1.75.
  expect(resizedTo2("bilinear")).toEqual([71, 121]);
});

test("property: no filter changes an image of one color, or an image that keeps its size", () => {
  const side = fc.integer({ min: 1, max: 9 });
  fc.assert(
    fc.property(
      side,
      side,
      side,
      side,
      fc.integer({ min: 0, max: 255 }),
      fc.constantFrom(...resamplings),
      (width, height, W, H, byte, resampling) => {
        const image = gray(new Array<number>(width * height).fill(byte), width);
        const resize = { width: W, height: H };
        expect(new Set(redChannel({ ...plain, resize, resampling }, image))).toEqual(new Set([byte]));
        const noisy = gray(
          Array.from({ length: width * height }, (_, i) => (i * 97 + byte) % 256),
          width,
        );
        const same = redChannel({ ...plain, resize: { width, height }, resampling }, noisy);
        expect(same).toEqual([...noisy.data]);
      },
    ),
  );
});

test("shortestEdge keeps the aspect ratio, a crop is centered and padded with zeros, and channels have their own mean and std", () => {
  const wide: RawImage = { data: new Uint8ClampedArray(4 * 6 * 4).fill(255), width: 6, height: 4 };
  expect(imageProcessor({ resize: { shortestEdge: 2 } }).resized(wide)).toMatchObject({
    width: 3,
    height: 2,
  });
  const tall = { ...wide, width: 4, height: 6 };
  expect(imageProcessor({ resize: { shortestEdge: 3 } }).resized(tall)).toMatchObject({
    width: 3,
    height: 4,
  });
  expect(redChannel({ ...plain, crop: { width: 2, height: 1 } }, gray([1, 2, 3, 4, 5, 6, 7, 8], 4))).toEqual([
    2, 3,
  ]);
  expect(redChannel({ ...plain, crop: { width: 3, height: 3 } }, gray([7], 1))).toEqual([
    0, 0, 0, 0, 7, 0, 0, 0, 0,
  ]);
  const pixels = imageProcessor({ mean: [0, 0.5, 1], std: [1, 0.5, 2] }).apply({
    ...wide,
    width: 24,
    height: 1,
  });
  expect([pixels.data[0], pixels.data[24], pixels.data[48]]).toEqual([1, 1, 0]);
});

test("sizes that no memory holds are refused, of a configuration and of a strip", () => {
  expect(() => imageProcessor({ resize: { height: 100_000, width: 100_000 } })).toThrow(
    /`resize.height` is 100000, expected an integer number of pixels, 1 or more and at most 4096/,
  );
  expect(() => imageProcessor({ crop: { height: 8, width: 1e9 } })).toThrow(/`crop.width` is 1000000000/);
  const strip = { data: new Uint8Array(3 * 200_000), width: 200_000, height: 1 };
  expect(() => imageProcessor({ resize: { shortestEdge: 224 } }).apply(strip)).toThrow(
    /`image` is "200000 × 1 pixels", expected sides of which one, resized to 224, makes at most 16777216 pixels/,
  );
});

test("images of one size are batched, and images of different sizes are refused", () => {
  const processor = imageProcessor({});
  const image = gray([1, 2], 2);
  expect(processor.apply([image, image]).shape).toEqual([2, 3, 1, 2]);
  expect(() => processor.apply([image, gray([1, 2], 1)])).toThrow(
    /`images` is "2 × 1 beside 1 × 2 pixels".*\nFix: give them one by one/,
  );
});

test.each<[string, unknown, RegExp]>([
  ["data that are not bytes", { data: [1, 2, 3], width: 1, height: 1 }, /`image`.*expected pixels in bytes/],
  ["width 0", { data: new Uint8Array(3), width: 0, height: 1 }, /`image\.width` is 0/],
  [
    "2 bytes per pixel",
    { data: new Uint8Array(4), width: 2, height: 1 },
    /`image\.data` is "4 bytes", expected 1, 3 or 4/,
  ],
])("an image with %s is refused", (_, image, message) => {
  expect(() => imageProcessor({}).apply(image as RawImage)).toThrow(message);
});

test.each<[ImageProcessorConfig, RegExp]>([
  [{ resampling: "cubic" as never }, /`resampling` is "cubic", expected "nearest", "lanczos"/],
  [{ resize: { shortestEdge: 0 } }, /`resize\.shortestEdge` is 0/],
  [{ crop: { height: 2, width: 1.5 } }, /`crop\.width` is 1\.5/],
  [{ mean: [1, 2] as never }, /`mean`.*expected a number for red, green and blue/],
  [{ std: [1, 0, 1] }, /`std`.*expected numbers that are not 0/],
])("the configuration %o is refused", (config, message) => {
  expect(() => imageProcessor(config)).toThrow(message);
});

test("readImageProcessorConfig reads configurations of older and newer versions of transformers", () => {
  const older = {
    ...{ crop_size: 224, do_center_crop: true, do_normalize: true, do_resize: true, resample: 3, size: 224 },
    feature_extractor_type: "CLIPFeatureExtractor",
    ...{ image_mean: [0.1, 0.2, 0.3], image_std: [1, 2, 3] },
  };
  expect(readImageProcessorConfig(older)).toEqual({
    resize: { shortestEdge: 224 },
    resampling: "bicubic",
    crop: { height: 224, width: 224 },
    rescale: 1 / 255,
    mean: [0.1, 0.2, 0.3],
    std: [1, 2, 3],
  });
  const square = {
    size: 32,
    do_normalize: false,
    do_rescale: false,
    image_processor_type: "ViTImageProcessor",
  };
  expect(readImageProcessorConfig(square)).toEqual({
    resize: { height: 32, width: 32 },
    resampling: "bilinear",
    rescale: 1,
  });
  expect(() => readImageProcessorConfig({ resample: 9 })).toThrow(
    /resample` is 9, expected an integer from 0 to 5/,
  );
  expect(() => readImageProcessorConfig({ do_pad: true })).toThrow(/do_pad/);
  expect(() => readImageProcessorConfig({ do_flip: true })).toThrow(
    /do_flip` is true, expected no such field/,
  );
  expect(() => readImageProcessorConfig({ image_mean: [1] })).toThrow(
    /image_mean` is \[1\], expected a list of three numbers\.\nFix: qkv does not implement `image_mean: \[1\]`\./,
  );
  expect(() => readImageProcessorConfig({ image_mean: ["1"] })).toThrow(
    /expected a list of three numbers\.\nFix: correct the field, or download/,
  );
  expect(() => readImageProcessorConfig({ size: { longest_edge: 512 } })).toThrow(
    /size` is .*, expected a size with `shortest_edge`, or with `height` and `width`\.\nFix: qkv does not implement/,
  );
  expect(() => readImageProcessorConfig({ size: { height: 512 } })).toThrow(
    /size: width` is undefined, .*\nFix: correct the field, or download/,
  );
});

test("undefined and a promise are refused", () => {
  expect(() => imageProcessor(undefined as never)).toThrow(/^imageProcessor: `config` is undefined/);
  expect(() => readImageProcessorConfig(Promise.resolve({}))).toThrow(
    /^readImageProcessorConfig: `json` .*\nFix: await the file/,
  );
});

import type { Checks } from "@qkv/core";

/**
 * The pixels of an image, row by row with interleaved channels, from 0 to 255: an `ImageData` of a canvas, or the output of an image
 * decoder.
 */
export type RawImage = {
  /** `[height, width, channels]`, row-major. */
  readonly data: Uint8Array | Uint8ClampedArray;
  /** Unit: pixels. */
  readonly width: number;
  /** Unit: pixels. */
  readonly height: number;
  /** 1: gray. 3: red, green, blue. 4: with an alpha channel, which is ignored. Default: follows from the length of `data`. */
  readonly channels?: 1 | 3 | 4;
};

/** An image with three channels. Gray is repeated; alpha is removed. */
export type RgbImage = { readonly data: Uint8Array; readonly width: number; readonly height: number };

/** Checks an image and converts it to three channels. */
export function rgbImage(check: Checks, image: RawImage, argument = "image"): RgbImage {
  const fix = "give { data, width, height }, as `getImageData` of a canvas returns them.";
  const isImage = (value: unknown) => {
    const { data } = (value ?? {}) as Partial<RawImage>;
    return data instanceof Uint8Array || data instanceof Uint8ClampedArray;
  };
  check.each({ [argument]: image }, isImage, "pixels in bytes: { data, width, height }", fix);
  const { data, width, height } = image;
  check.whole(
    { [`${argument}.width`]: width, [`${argument}.height`]: height },
    { min: 1, unit: "pixels", fix },
  );
  const pixels = width * height;
  const channels = image.channels ?? data.length / pixels;
  if ((channels !== 1 && channels !== 3 && channels !== 4) || data.length !== channels * pixels) {
    check.refuse({
      argument: `${argument}.data`,
      received: `${data.length} bytes`,
      expected: `1, 3 or 4 for each of the ${width} · ${height} pixels`,
      fix,
    });
  }
  if (channels === 3)
    return { data: new Uint8Array(data.buffer, data.byteOffset, data.length), width, height };
  const rgb = new Uint8Array(3 * pixels);
  for (let i = 0; i < pixels; i++)
    for (let c = 0; c < 3; c++) rgb[3 * i + c] = data[channels === 1 ? i : 4 * i + c]!;
  return { data: rgb, width, height };
}

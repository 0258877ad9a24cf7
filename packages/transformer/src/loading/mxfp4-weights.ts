import { checks, FormatError, sizeOf } from "@qkv/core";
import { mxfp4Value, mxfp4Scale } from "./mxfp4-values.js";
import type { WeightFile } from "./weight-file.js";

/** Elements per block, which share a scale, and bytes per block. */
const blockLength = 32;
const blockBytes = 16;

/**
 * Weights with tensors in MXFP4, as published for gpt-oss: `name_blocks` `[…, blocks, 16]`, two elements per byte, the
 * low nibble first, and `name_scales` `[…, blocks]`, one power of two per 32 elements. Such a tensor is read as its
 * values, `[…, blocks · 32]`.
 *
 * @see "OCP Microscaling Formats (MX) Specification" 1.0 (2023)
 */
export function mxfp4Weights(file: WeightFile): WeightFile {
  const scalesName = (name: string) => name.replace(/_blocks$/, "_scales");
  const isPacked = (name: string) =>
    file.bytes !== undefined && name.endsWith("_blocks") && file.shape(scalesName(name)) !== undefined;
  if (!file.names.some(isPacked)) return file;
  const scales = new Set(file.names.filter(isPacked).map(scalesName));
  return {
    ...file,
    names: file.names.filter((name) => !scales.has(name)),
    shape(name) {
      const shape = file.shape(name);
      if (!shape || !isPacked(name)) return shape;
      return [...shape.slice(0, -2), shape.at(-2)! * blockLength];
    },
    async *chunks(name) {
      if (!isPacked(name)) {
        yield* file.chunks(name);
        return;
      }
      checkShapes(file, name, scalesName(name));
      const exponents = await readBytes(file, scalesName(name));
      let first = 0;
      for await (const bytes of file.bytes!(name)) {
        const chunk = new Float32Array(2 * bytes.length);
        bytes.forEach((byte, i) => {
          const scale = mxfp4Scale(exponents[Math.floor((first + i) / blockBytes)]!);
          chunk[2 * i] = mxfp4Value(byte & 15) * scale;
          chunk[2 * i + 1] = mxfp4Value(byte >> 4) * scale;
        });
        first += bytes.length;
        yield chunk;
      }
    },
  };
}

async function readBytes(file: WeightFile, name: string): Promise<Uint8Array> {
  const result = new Uint8Array(sizeOf(file.shape(name)!));
  let at = 0;
  for await (const bytes of file.bytes!(name)) {
    result.set(bytes, at);
    at += bytes.length;
  }
  return result;
}

/** Refuses blocks and scales whose shapes do not match. */
function checkShapes(file: WeightFile, blocks: string, scales: string): void {
  const [packed, scalesShape] = [file.shape(blocks)!, file.shape(scales)!];
  const expected = [...scalesShape, blockBytes];
  if (packed.length === expected.length && packed.every((size, axis) => size === expected[axis])) return;
  checks(file.fn, { source: file.name }, FormatError).refuse({
    argument: blocks,
    received: `a tensor [${packed.join(", ")}]`,
    expected: `[${expected.join(", ")}], as ${scales} has a scale for each block`,
    fix: "the file is damaged or in another format; fetch it again.",
  });
}

import {
  checkDevice,
  checks,
  FormatError,
  readSafetensorsHeader,
  safetensorsHeaderSize,
  sizeOf,
  writeSafetensorsHeader,
} from "@qkv/core";
import { tensor, type Device, type DType, type Tensor } from "@qkv/tensor";
import { viewArray } from "@qkv/tensor/devices";
import { checksum } from "./checksum.js";
import type { SavedLayer } from "./layer-store.js";

const format = "qkv-cache";
const version = "1";
/** Name of the file in error messages. */
const source = "saved cache";
const storedTypes = {
  float32: "F32",
  float64: "F64",
  float16: "F16",
  bfloat16: "BF16",
  int8: "I8",
  uint8: "U8",
} as const;
type StoredType = keyof typeof storedTypes;
const zeroChecksum = "00000000";

/**
 * Writes the layers of a cache as one safetensors file. The metadata contain the format, its version, the form (the name of the
 * storage format of the cache), lists of integers by layer, and a CRC-32 of the whole file, computed with zeros in place of the
 * checksum.
 */
export function writeSaved(form: string, layers: readonly (SavedLayer | undefined)[]): Uint8Array {
  const tensors = layers.flatMap((layer, i) =>
    Object.entries(layer?.tensors ?? {}).map(([name, x]) => [`${i}.${name}`, x] as const),
  );
  const numbers = JSON.stringify(layers.map((layer) => layer?.numbers ?? null));
  const header = writeSafetensorsHeader(
    tensors.map(([name, { dtype, shape }]) => ({ name, dtype: storedTypes[dtype as StoredType], shape })),
    { checksum: zeroChecksum, format, version, form, layers: String(layers.length), numbers },
  );
  const parts = [
    header,
    ...tensors.map(([, { data }]) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
  ];
  const file = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    file.set(part, at);
    at += part.length;
  }
  file.set(textBytes(hex(checksum(file))), checksumOffset(file, header.length, zeroChecksum));
  return file;
}

/**
 * Reads the layers of a saved cache. The file is checked completely before a layer is returned.
 *
 * @param device - Device of the tensors. Default: the plain JavaScript device.
 * @throws {FormatError} If the file is truncated, damaged, or of another format, version or form.
 */
export function readSaved(
  form: string,
  bytes: Uint8Array,
  numLayers: number,
  device: Device | undefined,
): (SavedLayer | undefined)[] {
  const fix = "give the bytes that `cache.save()` returned.";
  checks("restore").each({ bytes }, (value) => value instanceof Uint8Array, "a Uint8Array", fix);
  if (device !== undefined) checkDevice("restore", device);
  const { tensors, metadata } = readSafetensorsHeader(bytes, { source, fn: "restore" });
  const expected = { format, version };
  for (const [field, value] of Object.entries(expected)) {
    if (metadata.get(field) === value) continue;
    refuseSaved(
      field,
      metadata.get(field),
      JSON.stringify(value),
      "give a file that `cache.save()` of this version made.",
    );
  }
  verifyChecksum(bytes, metadata.get("checksum"));
  for (const [field, value] of Object.entries({ form, layers: String(numLayers) })) {
    if (metadata.get(field) === value) continue;
    const fix = "restore into a cache of the kind and the model that was saved.";
    refuseSaved(field, metadata.get(field), JSON.stringify(value), fix);
  }
  // A valid checksum does not prove that this package wrote the file: each store also checks its tensors and numbers.
  return parseNumbers(metadata.get("numbers"), numLayers).map((numbersOfLayer, i) => {
    if (!numbersOfLayer) return undefined;
    const layer: Record<string, Tensor> = {};
    for (const [name, { dtype, shape, start, end }] of tensors) {
      if (!name.startsWith(`${i}.`)) continue;
      const tensorType = (Object.keys(storedTypes) as StoredType[]).find(
        (type) => storedTypes[type] === dtype,
      );
      if (!tensorType) refuseSaved(name, dtype, `one of ${Object.values(storedTypes).join(", ")}`, damaged);
      const array = viewArray(
        tensorType as DType,
        new Uint8Array(bytes.subarray(start, end)).buffer,
        0,
        sizeOf(shape),
      );
      layer[name.slice(`${i}.`.length)] = tensor(array, {
        shape,
        dtype: tensorType,
        ...(device && { device }),
      });
    }
    return { tensors: layer, numbers: numbersOfLayer };
  });
}

const damaged = "the file is damaged or was changed: restore another copy, or read the prompt again.";

/** Lists of numbers by layer, parsed from JSON; null for an empty layer. */
function parseNumbers(text: string | undefined, numLayers: number): (SavedLayer["numbers"] | null)[] {
  try {
    const layers: unknown = JSON.parse(text ?? "");
    const isObjectOrNull = (value: unknown) => typeof value === "object" && !Array.isArray(value);
    if (Array.isArray(layers) && layers.length === numLayers && layers.every(isObjectOrNull))
      return layers as (SavedLayer["numbers"] | null)[];
  } catch {
    // not JSON: refused below
  }
  refuseSaved("numbers", text, `an object or null for each of ${numLayers} layers`, damaged);
}

/** Refuses a file whose checksum is not that of its bytes. */
function verifyChecksum(bytes: Uint8Array, claimed: string | undefined): void {
  if (!/^[0-9a-f]{8}$/.test(claimed ?? ""))
    refuseSaved("checksum", claimed, "eight hexadecimal digits", damaged);
  const size = safetensorsHeaderSize(bytes, { source, fileSize: bytes.length, fn: "restore" });
  const at = checksumOffset(bytes, size, claimed!);
  const parts = [bytes.subarray(0, at), textBytes(zeroChecksum), bytes.subarray(at + zeroChecksum.length)];
  const computed = hex(checksum(...parts));
  if (computed !== claimed)
    refuseSaved("checksum", claimed, `${JSON.stringify(computed)}, the checksum of its bytes`, damaged);
}

/** Offset of the checksum's digits in a file. */
function checksumOffset(file: Uint8Array, headerSize: number, digits: string): number {
  const name = '"checksum":"';
  // Decoded as Latin-1, so that an index of a character is an offset in bytes.
  const header = Array.from(file.subarray(0, headerSize), (byte) => String.fromCharCode(byte)).join("");
  return header.indexOf(name + digits) + name.length;
}

const hex = (crc: number) => crc.toString(16).padStart(8, "0");
const textBytes = (text: string) => new TextEncoder().encode(text);

/** Throws a FormatError that names a field of the file. */
export function refuseSaved(argument: string, received: unknown, expected: string, fix: string): never {
  return checks("restore", { source }, FormatError).refuse({ argument, received, expected, fix });
}

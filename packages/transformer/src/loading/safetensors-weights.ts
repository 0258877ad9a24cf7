import {
  bytesPerElement,
  checks,
  FormatError,
  readSafetensorsHeaderOf,
  type SafetensorsEntry,
} from "@qkv/core";
import { decodeFloats, decodeHalves, halfType, type FloatFormat } from "./decode-floats.js";
import { readWhole, type OpenFile, type ReadFile } from "./open-file.js";
import { chunkBytes, type WeightFile } from "./weight-file.js";

/** Supported element types of safetensors files. */
const formats: Partial<Record<SafetensorsEntry["dtype"], FloatFormat>> = {
  F64: "float64",
  F32: "float32",
  F16: "float16",
  BF16: "bfloat16",
};

/** Checks with the name of the file and a fix for damaged files. */
const fileChecks = ({ name, fn }: ReadFile) =>
  checks(
    fn,
    { source: name, fix: "the files do not belong together or are damaged; fetch the model again." },
    FormatError,
  );

/** Opens a safetensors file: reads and checks its header; tensors are read on demand. */
export async function safetensorsWeights(file: OpenFile): Promise<WeightFile> {
  const { tensors } = await readSafetensorsHeaderOf(file);
  return {
    name: file.name,
    fn: file.fn,
    names: [...tensors.keys()],
    shape: (name) => tensors.get(name)?.shape,
    async *chunks(name) {
      const { dtype, start, end } = tensors.get(name)!;
      const format = formats[dtype];
      if (!format) {
        return fileChecks(file).refuse({
          argument: `${name}: dtype`,
          received: dtype,
          expected: Object.keys(formats).join(", "),
          fix: `qkv does not implement weights of type ${dtype}. Convert them to BF16, or take another copy of the model.`,
        });
      }
      const step = chunkBytes - (chunkBytes % bytesPerElement(format));
      for (let at = start; at < end; at += step) {
        yield decodeFloats(await file.read(at, Math.min(end, at + step)), format);
      }
    },
    half: (name) => halfType(formats[tensors.get(name)!.dtype]),
    async *halfChunks(name) {
      const { dtype, start, end } = tensors.get(name)!;
      const format = halfType(formats[dtype])!;
      for (let at = start; at < end; at += chunkBytes) {
        yield decodeHalves(await file.read(at, Math.min(end, at + chunkBytes)), format);
      }
    },
    async *bytes(name) {
      const { dtype, start, end } = tensors.get(name)!;
      if (dtype !== "U8") {
        return fileChecks(file).refuse({ argument: `${name}: dtype`, received: dtype, expected: "U8" });
      }
      for (let at = start; at < end; at += chunkBytes)
        yield await file.read(at, Math.min(end, at + chunkBytes));
    },
  };
}

/**
 * Opens a sharded model by its index.
 *
 * @param index - `model.safetensors.index.json`, which maps tensors to files.
 * @param open - Opens a shard.
 */
export async function shardedWeights(
  index: OpenFile,
  open: (name: string) => Promise<OpenFile>,
): Promise<WeightFile> {
  const map = weightMap(index, new TextDecoder().decode(await readWhole(index)));
  const shards = new Map<string, WeightFile>();
  for (const name of new Set(map.values())) shards.set(name, await safetensorsWeights(await open(name)));
  for (const [tensor, shard] of map) {
    if (shards.get(shard)!.shape(tensor)) continue;
    fileChecks(index).refuse({
      argument: "weight_map",
      received: `${shard} for ${tensor}`,
      expected: "a file that holds the tensor",
    });
  }
  return {
    name: index.name,
    fn: index.fn,
    names: [...map.keys()],
    shape: (name) => shards.get(map.get(name) ?? "")?.shape(name),
    chunks: (name) => shards.get(map.get(name)!)!.chunks(name),
    half: (name) => shards.get(map.get(name)!)!.half!(name),
    halfChunks: (name) => shards.get(map.get(name)!)!.halfChunks!(name),
    bytes: (name) => shards.get(map.get(name)!)!.bytes!(name),
  };
}

function weightMap(index: OpenFile, text: string): Map<string, string> {
  const check: ReturnType<typeof fileChecks> = fileChecks(index);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    return check.refuse({
      argument: "index",
      received: "no valid JSON",
      expected: "an object with a weight_map",
      cause,
    });
  }
  const map = (json as { weight_map?: unknown } | null)?.weight_map;
  const entries = Object.entries(typeof map === "object" && map !== null ? map : {});
  const invalid = entries.find(([, file]) => typeof file !== "string" || !/^\w[\w.-]*$/.test(file));
  if (entries.length === 0 || invalid) {
    check.refuse({
      argument: "weight_map",
      received: invalid ? invalid[1] : map,
      expected: "the name of a file beside the index for each tensor",
    });
  }
  return new Map(entries as [string, string][]);
}

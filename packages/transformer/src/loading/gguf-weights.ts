import { checks, FormatError, sizeOf, type GgufHeader, knownNames } from "@qkv/core";
import { readGgufHeaderOf } from "@qkv/core/byte-source";
import { decodeHalves } from "./decode-floats.js";
import { blockTypes, otherTypes, type BlockType } from "./gguf-blocks.js";
import type { OpenFile } from "./open-file.js";
import { chunkBytes, type WeightFile } from "./weight-file.js";

type Entry = { type: BlockType; shape: readonly number[]; start: number; end: number };

/** Opens a GGUF file: its header, and its tensors, which are read on demand. All offsets in the header are checked. */
export async function ggufWeights(file: OpenFile): Promise<{ weights: WeightFile; header: GgufHeader }> {
  const header = await readGgufHeaderOf(file);
  const fix = "download the file again: its list of tensors is damaged.";
  const check = checks(file.fn, { source: file.name, fix }, FormatError);
  const entries = new Map<string, Entry>();
  /** Bytes and experts of all tensors so far. */
  let [tensorBytes, experts] = [0, 0];
  for (const { name, dims, type: typeId, offset } of header.tensors) {
    const refuse = (field: string, received: unknown, expected: string, fix?: string): never =>
      check.refuse({ argument: `${name}: ${field}`, received, expected, ...(fix !== undefined && { fix }) });
    const type = blockTypes[typeId];
    if (!type) {
      const known = Object.values(blockTypes).map(({ name }) => name);
      const received = otherTypes[typeId] ?? typeId;
      return refuse(
        "type",
        received,
        `one of ${knownNames(received, known, "the reference of `load`")}`,
        typeof received === "string"
          ? `qkv does not implement ${received}. Take a file of the model in another type, such as Q8_0 or Q4_K.`
          : "download the file again: it is damaged, or of a newer version of GGUF.",
      );
    }
    const shape = [...dims].reverse(); // the file lists the last axis first
    if (shape.includes(0)) refuse("shape", shape, "lengths of 1 or more");
    if ((shape.at(-1) ?? 1) % type.elements !== 0) {
      const block = `the elements of a block of ${type.name}`;
      refuse("shape", shape, `rows of a multiple of ${type.elements}, ${block}`);
    }
    const size = sizeOf(shape);
    const start = header.dataStart + offset;
    const end = start + (size / type.elements) * type.bytes;
    if (!(end <= file.size)) refuse("offset", offset, `a place in the file: it ends at byte ${file.size}`);
    tensorBytes += end - start;
    if (tensorBytes > file.size - header.dataStart)
      refuse("offset", offset, "bytes that no other tensor has");
    const [, block, kind] = /^(blk\.\d+\.ffn_\w+)_exps(\.\w+)$/.exec(name) ?? [];
    const isStack = block !== undefined && shape.length >= 2;
    if (isStack) experts += shape[0]!;
    if (experts > 4096 + file.size / minExpertBytes)
      refuse("shape", shape, `experts of ${minExpertBytes} bytes or more each`);
    for (const [entryName, entry] of isStack
      ? splitExperts(`${block}.`, kind!, { type, shape, start, end })
      : [[name, { type, shape, start, end }] as const]) {
      if (entries.has(entryName)) refuse("name", entryName, "each name once");
      entries.set(entryName, entry);
    }
  }
  return {
    header,
    weights: {
      name: file.name,
      fn: file.fn,
      names: [...entries.keys()],
      shape: (name) => entries.get(name)?.shape,
      async *chunks(name) {
        const { type, start, end } = entries.get(name)!;
        const step = chunkBytes - (chunkBytes % type.bytes);
        for (let at = start; at < end; at += step) {
          yield type.decode(await file.read(at, Math.min(end, at + step)));
        }
      },
      half: (name) => entries.get(name)!.type.half,
      async *halfChunks(name) {
        const { type, start, end } = entries.get(name)!;
        for (let at = start; at < end; at += chunkBytes) {
          yield decodeHalves(await file.read(at, Math.min(end, at + chunkBytes)), type.half!);
        }
      },
    },
  };
}

/** Minimum bytes per expert in a file with more than a few thousand experts, because each needs an entry in memory. */
const minExpertBytes = 64;

/** Splits a tensor with all experts of a layer into one entry per expert, named as in older files. */
function* splitExperts(
  block: string,
  kind: string,
  { type, shape, start, end }: Entry,
): Iterable<readonly [string, Entry]> {
  const [count, ...expertShape] = shape as [number, ...number[]];
  const bytes = (end - start) / count;
  for (let e = 0; e < count; e++) {
    const first = start + e * bytes;
    yield [`${block}${e}${kind}`, { type, shape: expertShape, start: first, end: first + bytes }];
  }
}

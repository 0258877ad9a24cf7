import { FormatError, readGgufHeader, type GgufHeader } from "@qkv/core";
import { blockTypes, type BlockType } from "./gguf-blocks.js";
import type { OpenFile } from "./open-file.js";
import { pieceSize, type WeightFile } from "./weight-file.js";

/** Bytes that the first look at a file takes; a header of a large vocabulary takes several. */
const firstLook = 2 ** 20;
/** No header is longer. */
const longestHeader = 2 ** 28;

type Entry = { type: BlockType; shape: readonly number[]; start: number; end: number };

/** The tensors of a GGUF file, and its header. Its header alone is read, and every place in it is checked. */
export async function ggufWeights(file: OpenFile): Promise<{ weights: WeightFile; header: GgufHeader }> {
  const header = await readHeader(file);
  const { tensors, dataStart } = header;
  const entries = new Map<string, Entry>();
  for (const { name, dims, type: number, offset } of tensors) {
    const bad = (field: string, received: unknown, expected: string) =>
      new FormatError({
        fn: "load",
        argument: `${file.name}: ${name}: ${field}`,
        received,
        expected,
        fix: "the file is damaged, or of a kind that is not read; take an f16, q8_0, q4_0 or q4_k one.",
      });
    const type = blockTypes[number];
    if (!type) {
      const known = Object.entries(blockTypes).map(([n, { name }]) => `${n} (${name})`);
      throw bad("type", number, `one of ${known.join(", ")}`);
    }
    const shape = [...dims].reverse(); // the file counts the last axis first
    const size = shape.reduce((a, b) => a * b, 1);
    if ((shape.at(-1) ?? 1) % type.numbers !== 0) {
      throw bad(
        "shape",
        shape,
        `rows of a multiple of ${type.numbers}, the numbers of a block of ${type.name}`,
      );
    }
    const start = dataStart + offset;
    const end = start + (size / type.numbers) * type.bytes;
    if (!(end <= file.size)) throw bad("offset", offset, `a place in the file: it ends at byte ${file.size}`);
    if (entries.has(name)) throw bad("name", name, "each name once");
    const [, block, kind] = /^(blk\.\d+\.ffn_\w+)_exps(\.\w+)$/.exec(name) ?? [];
    if (block === undefined || shape.length < 2) {
      entries.set(name, { type, shape, start, end });
      continue;
    }
    // Experts that lie one after the other in one tensor: each has a name of its own, as in the first such files.
    const [experts, ...own] = shape as [number, ...number[]];
    const bytes = (end - start) / experts;
    for (let e = 0; e < experts; e++) {
      entries.set(`${block}.${e}${kind}`, {
        type,
        shape: own,
        start: start + e * bytes,
        end: start + (e + 1) * bytes,
      });
    }
  }
  return {
    header,
    weights: {
      name: file.name,
      names: [...entries.keys()],
      shape: (name) => entries.get(name)?.shape,
      async *pieces(name) {
        const { type, start, end } = entries.get(name)!;
        const step = pieceSize - (pieceSize % type.bytes);
        for (let at = start; at < end; at += step) {
          yield type.decode(await file.read(at, Math.min(end, at + step)));
        }
      },
    },
  };
}

/** A header does not tell how long it is: more of the file is read until it is there. */
async function readHeader(file: OpenFile): Promise<GgufHeader> {
  for (let size = firstLook; ; size *= 4) {
    const bytes = await file.read(0, Math.min(size, file.size));
    try {
      return readGgufHeader(bytes, "load");
    } catch (error) {
      if (bytes.length === file.size || size >= longestHeader) throw error;
    }
  }
}

import { ByteReader, FormatError } from "@qkv/core";
import { defineNormalizer, type Edit, type Normalizer } from "./normalizer.js";

/**
 * SentencePiece's `precompiled_charsmap`: replacements of sequences of characters. In the file it is a double-array
 * trie and the texts that its leaves point to.
 */
export type Charsmap = {
  /**
   * The longest sequence of the map at `bytes[start ..)`, as its length in bytes and its replacement; or the shortest.
   * Undefined where none begins there.
   */
  find(
    bytes: Uint8Array,
    start: number,
    which: "longest" | "shortest",
  ): { length: number; text: string } | undefined;
};

/**
 * Reads a compiled character map: uint32 size of the trie in bytes, the trie, then texts that end with a zero byte.
 *
 * @param field - Its path in the file, for messages.
 * @throws {FormatError} If the trie is longer than the file, or no list of uint32.
 * @see google/sentencepiece, src/normalizer.cc; s-yata/darts-clone, include/darts.h
 */
export function readCharsmap(
  bytes: Uint8Array,
  context: { fn: string; source: string; field: string },
): Charsmap {
  const { fn, source, field } = context;
  const reader = new ByteReader(bytes, { fn, source });
  const size = reader.uint32(`${field}.trie_size`);
  if (size % 4 !== 0) {
    throw new FormatError({
      fn,
      argument: `${source}: ${field}.trie_size`,
      received: size,
      expected: "a multiple of 4 bytes",
      fix: "the character map is damaged; fetch the file again.",
    });
  }
  const trie = reader.bytes(`${field}.trie`, size);
  const view = new DataView(trie.buffer, trie.byteOffset, size);
  const units = Uint32Array.from({ length: size / 4 }, (_, i) => view.getUint32(4 * i, true));
  const texts = reader.bytes(`${field}.texts`, reader.remaining);
  const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
  const textAt = (place: number) => {
    const end = texts.indexOf(0, place);
    return utf8.decode(texts.subarray(place, end < 0 ? texts.length : end));
  };

  return {
    find(bytes, start, which) {
      let [length, value] = [0, -1];
      let node = unitOffset(units[0] ?? 0);
      for (let at = start; at < bytes.length; at++) {
        node ^= bytes[at]!;
        const unit = units[node];
        if (unit === undefined || unitLabel(unit) !== bytes[at]) break;
        node ^= unitOffset(unit);
        if ((unit & 0x100) === 0) continue; // no leaf below
        const leaf = units[node];
        if (leaf === undefined) break;
        [length, value] = [at + 1 - start, leaf & 0x7fffffff];
        if (which === "shortest") break;
      }
      return value < 0 ? undefined : { length, text: textAt(value) };
    },
  };
}

// A unit packs the byte that leads to a node, whether the node has a leaf, and how far its children are.
const unitLabel = (unit: number) => unit & 0x800000ff;
const unitOffset = (unit: number) => (unit >>> 10) << ((unit & 0x200) >>> 6);

/**
 * The map as Hugging Face's `Precompiled` applies it: to grapheme clusters of fewer than six bytes as a whole, where
 * the shortest sequence decides, else to their characters.
 */
export function precompiledNormalizer(map: Charsmap, json?: unknown): Normalizer {
  const segmenter = new Intl.Segmenter("und", { granularity: "grapheme" });
  const encoder = new TextEncoder();
  const change = (text: string) => map.find(encoder.encode(text), 0, "shortest")?.text;
  return defineNormalizer(
    "character map",
    function* (text) {
      for (const { index, segment } of segmenter.segment(text)) {
        const whole = encoder.encode(segment).length < 6 ? change(segment) : undefined;
        if (whole !== undefined) {
          yield [index, index + segment.length, whole] satisfies Edit;
          continue;
        }
        let at = index;
        for (const character of segment) {
          const changed = change(character);
          if (changed !== undefined) yield [at, at + character.length, changed] satisfies Edit;
          at += character.length;
        }
      }
    },
    { json },
  );
}

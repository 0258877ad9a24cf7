import { mergeSymbols, type Merges } from "../models/merge-symbols.js";
import type { Model } from "../models/model.js";
import { TokenBytes } from "../models/token-bytes.js";

/**
 * The merges of a byte-level vocabulary that has none, in order: each token comes of the two that are left when only
 * tokens before it merge.
 */
export function mergesOfVocabulary(model: Model): string[] {
  const tokens = TokenBytes.of(Array.from({ length: model.vocabSize }, (_, id) => model.bytes?.(id)));
  const byteIds = Int32Array.from({ length: 256 }, (_, byte) => tokens.find(Uint8Array.of(byte), 0, 1));
  const merges: string[] = [];
  for (let id = 0; id < tokens.size; id++) {
    const bytes = tokens.bytes(id);
    if (bytes.length < 2) continue;
    const earlier: Merges = {
      rank(left, right) {
        const joined = tokens.findJoined(left, right);
        return joined < id ? joined : -1;
      },
      join: (left, right) => tokens.findJoined(left, right),
    };
    const symbols = Int32Array.from(bytes, (byte) => byteIds[byte]!);
    if (mergeSymbols(symbols, symbols.length, earlier) === 2)
      merges.push(`${model.token(symbols[0]!)} ${model.token(symbols[1]!)}`);
  }
  return merges;
}

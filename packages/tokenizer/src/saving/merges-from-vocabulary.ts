import { mergeSymbols, type Merges } from "../models/merge-symbols.js";
import type { Model } from "../models/model.js";
import { TokenBytes } from "../models/token-bytes.js";

/**
 * Recovers the merges of a byte-level vocabulary without a merge list: each token is the merge of the two tokens that are
 * left when its bytes are encoded with the tokens of lower ids only.
 */
export function mergesFromVocabulary(model: Model): string[] {
  const tokens = TokenBytes.fromTokens(Array.from({ length: model.vocabSize }, (_, id) => model.bytes?.(id)));
  const byteIds = Int32Array.from({ length: 256 }, (_, byte) => tokens.find(Uint8Array.of(byte), 0, 1));
  const merges: string[] = [];
  for (let id = 0; id < tokens.size; id++) {
    const bytes = tokens.bytes(id);
    if (bytes.length < 2) continue;
    const earlier: Merges = {
      rank(left, right) {
        const joined = tokens.findConcatenation(left, right);
        return joined < id ? joined : -1;
      },
      merge: (left, right) => tokens.findConcatenation(left, right),
    };
    const symbols = Int32Array.from(bytes, (byte) => byteIds[byte]!);
    if (mergeSymbols(symbols, symbols.length, earlier) === 2)
      merges.push(`${model.token(symbols[0]!)} ${model.token(symbols[1]!)}`);
  }
  return merges;
}

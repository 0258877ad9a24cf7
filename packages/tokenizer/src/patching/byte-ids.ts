import { checks } from "@qkv/core";
import { checkTokenizer } from "../check-arguments.js";
import { bytesToUnicode } from "../bytes-to-unicode.js";
import type { Tokenizer } from "../tokenizer.js";

/**
 * Returns the id of each byte, `[256]`, in a vocabulary that holds the bytes and special tokens, and no others: one that
 * `qkv train --vocab-size 256` learned, say. A model over such a vocabulary is a model of bytes.
 *
 * @throws {ArgumentError} If a byte has no token, or a token is more than a byte.
 *
 * @example
 * ```ts
 * import { tokenizerFromJson } from "@qkv/tokenizer";
 * import { byteIds } from "@qkv/tokenizer/patching";
 * import { trainBpe, trainedBpeToJson } from "@qkv/tokenizer/training";
 *
 * const bytes = tokenizerFromJson(trainedBpeToJson(await trainBpe(["any text"], { vocabSize: 256 })));
 * byteIds(bytes)["a".charCodeAt(0)] === bytes.encode("a")[0]; // => true
 * ```
 */
export function byteIds(tokenizer: Pick<Tokenizer, "id" | "decode" | "token" | "vocabSize">): Int32Array {
  const check = checks("byteIds");
  checkTokenizer(check, { tokenizer }, ["id", "decode", "token"]);
  const refuse = (received: string): never =>
    check.refuse({
      argument: "tokenizer",
      received,
      expected: "a token for each of the 256 bytes, and none but special ones besides",
      fix: "take a byte-level vocabulary without merges, as `qkv train --vocab-size 256` learns one.",
    });
  const ids = Int32Array.from(
    bytesToUnicode,
    (character, byte) => tokenizer.id(character) ?? refuse(`a vocabulary without the byte ${byte}`),
  );
  const knownIds = new Set(ids);
  for (let id = 0; id < tokenizer.vocabSize; id++) {
    if (knownIds.has(id) || tokenizer.token(id) === undefined || tokenizer.decode([id]) === "") continue;
    refuse(`a vocabulary with the token ${JSON.stringify(tokenizer.token(id))}`);
  }
  return ids;
}

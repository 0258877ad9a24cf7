import { FormatError, checks } from "@qkv/core";
import { checkBytes } from "./check-arguments.js";
import { composeTokenizer } from "./compose-tokenizer.js";
import { byteFallbackStep, decodeSteps, fuseStep, stripStep } from "./decoders/decode-steps.js";
import type { Decoder } from "./decoders/decoder.js";
import { readLlama2cVocabulary } from "./llama2c-vocabulary.js";
import { characterBpe, byteFallbackValue } from "./models/character-bpe.js";
import { prepend } from "./normalizers/prepend.js";
import { template } from "./template.js";
import { byteDecodeStream } from "./byte-decode-stream.js";
import type { Tokenizer } from "./tokenizer.js";

/**
 * The tokenizer in a llama2.c file (`tokenizer.bin`, `tok512.bin`): byte-pair encoding with scores, as
 * SentencePiece trains it. It gives the ids that llama2.c gives.
 *
 * A space goes in front of a text that is not empty; characters become tokens, or the tokens of their UTF-8 bytes
 * where there is none; then adjacent tokens merge, highest score first. Names of special tokens in the text (`<s>`,
 * `<0x41>`) are ordinary text. Time: O(n log n) for any text of n characters.
 *
 * @param bytes - The whole file.
 * @param options - `vocabSize`: the model's. Default: the number of tokens in the file.
 * @returns `bosId` is 1, `eosId` 2; byte b is token b + 3. `decode(encode(text))` is `text`.
 *   Decoding drops the space in front after token 1 only, so that a continuation keeps its first space.
 * @throws {FormatError} If the file is damaged or of another format, or holds another number of tokens than
 *   `vocabSize`; the field is named.
 * @see karpathy/llama2.c, `encode` and `decode` in run.c
 *
 * @example
 * ```ts
 * import { llama2cTokenizer } from "@qkv/tokenizer";
 *
 * // A file of six tokens, all with score 0: three special ones, a space, "a" and " a".
 * const file = [2, 0, 0, 0]; // the longest has two bytes
 * for (const token of ["?", "^", "$", " ", "a", " a"]) {
 *   file.push(0, 0, 0, 0, token.length, 0, 0, 0, ...new TextEncoder().encode(token));
 * }
 * const tokenizer = llama2cTokenizer(Uint8Array.from(file));
 * tokenizer.encode("a a"); // => [1, 5, 5]
 * tokenizer.decode([1, 5, 5]); // => "a a"
 * ```
 */
export function llama2cTokenizer(bytes: Uint8Array, options: { vocabSize?: number } = {}): Tokenizer {
  const check = checks("llama2cTokenizer");
  check.options(options, ["vocabSize"]);
  checkBytes(check, { bytes });
  const { pieces, scores } = readLlama2cVocabulary(bytes);
  const vocabSize = options.vocabSize ?? pieces.length;
  if (pieces.length !== vocabSize) {
    throw new FormatError({
      fn: "llama2cTokenizer",
      argument: "tokenizer file: number of tokens",
      received: pieces.length,
      expected: `vocabSize = ${vocabSize}`,
      fix: "give the tokenizer that the model was trained with.",
    });
  }

  // Tokens that text can be encoded to: no special tokens, and none whose bytes are not valid UTF-8.
  const texts = pieces.map(strictText);
  const reserved = new Set(texts.flatMap((text, id) => (id <= eosId || text === undefined ? [id] : [])));
  const vocab = texts.map((text, id) => text ?? new TextDecoder().decode(pieces[id]));
  return composeTokenizer({
    normalizers: [prepend(" ")],
    model: {
      ...characterBpe({ vocab, merges: { scores }, byteFallback: true, spaceMarker: " ", reserved }),
      pieces: vocab.map((text, id) => ({
        text: id <= eosId ? ["<unk>", "<s>", "</s>"][id]! : text.replaceAll(" ", "▁"),
        score: scores[id]!,
        // Of SentencePiece: 1 normal, 2 unknown, 3 control, 5 unused, 6 byte.
        type:
          id <= eosId ? (id === 0 ? 2 : 3) : fallbackByte(texts[id]) ? 6 : texts[id] === undefined ? 5 : 1,
      })),
    },
    postProcessor: template({ bos: bosId }, "bos $A", "bos $A $B"),
    decoder: llama2cDecoder(pieces.map((piece, id) => fallbackByte(texts[id]) ?? piece)),
    bosId,
    eosId,
  });
}

const [bosId, eosId] = [1, 2];
const strict = /* @__PURE__ */ new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The byte of a byte token (`<0x41>`), or undefined for other tokens. */
function fallbackByte(text: string | undefined): Uint8Array | undefined {
  const byte = text === undefined ? undefined : byteFallbackValue(text);
  return byte === undefined ? undefined : Uint8Array.of(byte);
}

/** Concatenated bytes are UTF-8. The beginning-of-sequence token has no text, and the space after it was added by the encoder. */
function llama2cDecoder(pieces: readonly Uint8Array[]): Decoder {
  return {
    name: "llama2.c",
    // A decoder of tokenizer.json cannot test for token 1, so it strips a space at the start of any sequence.
    json: decodeSteps([byteFallbackStep, fuseStep, stripStep(" ", 1, 0, true)]).json,
    start: () => byteDecodeStream(pieces, bosId),
  };
}

/** The text of a token; undefined if its bytes are not valid UTF-8, so that no text is encoded to it. */
function strictText(piece: Uint8Array): string | undefined {
  try {
    return strict.decode(piece);
  } catch {
    return undefined;
  }
}

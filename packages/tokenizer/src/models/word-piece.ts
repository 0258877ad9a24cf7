import { checks } from "@qkv/core";
import { requireOptions } from "../check-arguments.js";
import { maxCachedLength, PreTokenCache } from "./pre-token-cache.js";
import type { Model } from "./model.js";
import { TokenBytes } from "./token-bytes.js";
import { Utf8Scratch } from "./utf8-scratch.js";
import { tokensById, vocabularyJson, type Vocabulary } from "./vocabulary.js";

export type WordPieceOptions = {
  /** The tokens; those inside a word begin with `continuingSubwordPrefix`. */
  vocab: Vocabulary;
  /** The unknown token, for words that cannot be composed of tokens. */
  unknownId: number;
  /** Prefix of a token inside a word. Default: `##`. */
  continuingSubwordPrefix?: string;
  /** A word of more characters is unknown. Default: 100. */
  maxInputCharsPerWord?: number;
};

/**
 * WordPiece, the model of BERT: the longest token that a word begins with, then the longest that the rest begins
 * with, and so on. A word that comes to an end without a token is unknown as a whole.
 *
 * @throws {ArgumentError} If the vocabulary is damaged; the entry is named.
 * @see "Japanese and Korean Voice Search" (2012); google-research/bert, `WordpieceTokenizer` in tokenization.py
 */
export function wordPiece(options: WordPieceOptions): Model {
  const check = checks("wordPiece");
  const names = ["vocab", "unknownId", "continuingSubwordPrefix", "maxInputCharsPerWord"] as const;
  const {
    unknownId,
    continuingSubwordPrefix = "##",
    maxInputCharsPerWord = 100,
  } = check.options(requireOptions(check, options), names);
  const tokens = tokensById(options.vocab, "wordPiece");
  check.whole({ unknownId }, { min: 0 });
  const encoder = new TextEncoder();
  const starting = TokenBytes.fromTokens(
    tokens.map((token) => (token === undefined ? undefined : encoder.encode(token))),
  );
  const inside = TokenBytes.fromTokens(
    tokens.map((token) =>
      token?.startsWith(continuingSubwordPrefix)
        ? encoder.encode(token.slice(continuingSubwordPrefix.length))
        : undefined,
    ),
  );
  const longest = tokens.reduce((most, _, id) => Math.max(most, starting.length(id)), 0);
  if (longest > maxTokenBytes) {
    check.refuse({
      argument: "vocab",
      received: `a token of ${longest} bytes`,
      expected: `tokens of at most ${maxTokenBytes} bytes, since each position of a text is compared with all lengths`,
      fix: "make it an added token.",
    });
  }
  const cache = new PreTokenCache();
  const utf8 = new Utf8Scratch();

  const append: Model["append"] = (text, start, end, ids, widths) => {
    if (start === end) return;
    const isCacheable = widths === undefined && end - start <= maxCachedLength;
    if (isCacheable && cache.append(text, start, end, ids)) return;
    const first = ids.length;
    const length = utf8.write(text, start, end);
    const { bytes } = utf8;
    let characters = 0;
    for (let at = 0; at < length; at++) if ((bytes[at]! & 0xc0) !== 0x80) characters += 1;
    let at = characters > maxInputCharsPerWord ? -1 : 0;
    while (at >= 0 && at < length) {
      const tokens = at === 0 ? starting : inside;
      let [stop, id] = [Math.min(length, at + longest), -1];
      for (; stop > at; stop--) {
        if (stop < length && (bytes[stop]! & 0xc0) === 0x80) continue; // inside a character
        id = tokens.find(bytes, at, stop);
        if (id >= 0) break;
      }
      if (id >= 0) {
        ids.push(id);
        widths?.push(stop - at);
      }
      at = id < 0 ? -1 : stop;
    }
    if (at < 0) {
      if (widths) widths.length -= ids.length - first;
      ids.length = first;
      ids.push(unknownId);
      widths?.push(length);
    }
    if (isCacheable) cache.insert(text, start, end, ids, first);
  };

  return {
    name: "WordPiece",
    vocabSize: tokens.length,
    append,
    token: (id) => tokens[id],
    id(token) {
      const bytes = encoder.encode(token);
      const id = starting.find(bytes, 0, bytes.length);
      return id < 0 ? undefined : id;
    },
    json: () => ({
      type: "WordPiece",
      unk_token: tokens[unknownId],
      continuing_subword_prefix: continuingSubwordPrefix,
      max_input_chars_per_word: maxInputCharsPerWord,
      vocab: vocabularyJson(tokens),
    }),
  };
}

/** BERT's longest token has 18 bytes. */
const maxTokenBytes = 256;

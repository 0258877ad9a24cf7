import { ArgumentError } from "@qkv/core";
import type { AddedToken } from "../../added-tokens.js";
import { composeTokenizer } from "../../compose-tokenizer.js";
import { byteLevelNormalizer } from "../../normalizers/byte-level-normalizer.js";
import type { Padding } from "../../pad.js";
import type { Tokenizer } from "../../tokenizer.js";
import type { Truncation } from "../../truncate.js";
import { JsonField } from "../json-field.js";
import { checkGrowth } from "./check-growth.js";
import { readDecoder } from "./read-decoder.js";
import { readModel } from "./read-model.js";
import { readNormalizer } from "./read-normalizer.js";
import { readPostProcessor } from "./read-post-processor.js";
import { readPreTokenizer } from "./read-pre-tokenizer.js";

/**
 * The tokenizer of a `tokenizer.json`, as Hugging Face's `tokenizers` writes it, with all of its stages: any
 * normalizer, pre-tokenizer, model, post-processor and decoder but `UnicodeScripts`. It gives the ids that the
 * library gives.
 *
 * Normalizers: `Sequence`, `NFC`, `NFD`, `NFKC`, `NFKD`, `Lowercase`, `StripAccents`, `Nmt`, `ByteLevel`, `Prepend`, `Strip`,
 * `Replace`, `BertNormalizer` and `Precompiled`. Pre-tokenizers: `Sequence`, `BertPreTokenizer`, `WhitespaceSplit`, `Whitespace`,
 * `Digits`, `Punctuation`, `FixedLength`, `CharDelimiterSplit`, `ByteLevel`, `Metaspace` and `Split`. Decoders: `Sequence`,
 * `ByteLevel`, `ByteFallback`, `Fuse`, `WordPiece`, `BPEDecoder`, `CTC`, `Metaspace`, `Strip` and `Replace`.
 *
 * @param file - The file's text, its bytes, or the result of `JSON.parse`.
 * @param config - The `tokenizer_config.json` beside it, in any of the same forms: it names the tokens at the
 *   beginning and the end of a sequence. Default: those that the post-processor puts there.
 * @returns Special tokens inside a text become their ids unless `encode` is given `specialTokens`, as in Hugging Face's
 *   library.
 * @throws {FormatError} If a field is missing or wrong, or a pattern is too large; the field is named.
 * @throws {ArgumentError} If the vocabulary or a merge is damaged; the token or the merge is named.
 * @see huggingface/tokenizers, tokenizers/src
 *
 * @example
 * ```ts
 * import { tokenizerFromJson } from "@qkv/tokenizer";
 *
 * const file = {
 *   normalizer: { type: "Lowercase" },
 *   pre_tokenizer: { type: "Whitespace" },
 *   model: { type: "WordPiece", unk_token: "?", vocab: { "?": 0, token: 1, "##ize": 2, "##r": 3 } },
 *   decoder: { type: "WordPiece" },
 * };
 * const tokenizer = tokenizerFromJson(file);
 * tokenizer.encode("Tokenizer, tokenize"); // => [1, 2, 3, 0, 1, 2]
 * tokenizer.decode([1, 2, 3]); // => "tokenizer"
 * ```
 */
export function tokenizerFromJson(file: unknown, config?: unknown): Tokenizer {
  const root = asField(file, "tokenizer.json");
  root.object();
  const preTokenizers = readPreTokenizer(root.get("pre_tokenizer"));
  for (const name of ["normalizer", "pre_tokenizer", "decoder"]) checkGrowth(root.get(name));
  const normalizers = readNormalizer(root.get("normalizer"));
  // A byte-level model maps bytes to Unicode itself: a `ByteLevel` step that comes last is left out.
  const lastStep = preTokenizers.at(-1) ?? normalizers.at(-1);
  const isByteLevel = lastStep?.name === byteLevelNormalizer.name;
  const model = readModel(root.get("model"), isByteLevel);
  const { template, trimOffsets } = readPostProcessor(root.get("post_processor"));
  const addedTokens = readAddedTokens(root.get("added_tokens"), model.id);
  const settings = config === undefined ? undefined : asField(config, "tokenizer_config.json");
  const tokenIdFromConfig = (key: "bos_token" | "eos_token"): number | undefined => {
    const field = settings?.get(key);
    if (!field || field.isMissing) return undefined;
    const content = typeof field.value === "string" ? field.value : field.get("content").string();
    return addedTokens.find((token) => token.content === content)?.id ?? model.id(content);
  };
  const [first, last] = [template?.single[0], template?.single.at(-1)];
  const truncation = readTruncation(root.get("truncation"));
  const padding = readPadding(root.get("padding"));
  return composeTokenizer({
    normalizers: model.isByteLevel && preTokenizers.length === 0 ? normalizers.slice(0, -1) : normalizers,
    preTokenizers: model.isByteLevel && preTokenizers.length > 0 ? preTokenizers.slice(0, -1) : preTokenizers,
    model,
    ...(template && { postProcessor: template }),
    ...(trimOffsets && { trimOffsets }),
    ...(truncation && { truncation }),
    ...(padding && { padding }),
    decoder: readDecoder(root.get("decoder")),
    addedTokens,
    bosId: tokenIdFromConfig("bos_token") ?? (first && "id" in first ? first.id : undefined),
    eosId: tokenIdFromConfig("eos_token") ?? (last && "id" in last ? last.id : undefined),
  });
}

function readAddedTokens(field: JsonField, tokenId: (token: string) => number | undefined): AddedToken[] {
  if (field.isMissing) return [];
  const limit = 10_000_000;
  return field.list().map((entry) => {
    const content = entry.get("content").string();
    const id = tokenId(content) ?? entry.get("id").count();
    if (id > limit) entry.get("id").fail(`an id of at most ${limit}`);
    return {
      id,
      content,
      special: entry.get("special").boolean(false),
      normalized: entry.get("normalized").boolean(true),
      singleWord: entry.get("single_word").boolean(false),
      lstrip: entry.get("lstrip").boolean(false),
      rstrip: entry.get("rstrip").boolean(false),
    };
  });
}

const sides = { Left: "left", Right: "right" } as const;
const truncationStrategies = {
  LongestFirst: "longestFirst",
  OnlyFirst: "onlyFirst",
  OnlySecond: "onlySecond",
} as const;

function readTruncation(field: JsonField): Truncation | undefined {
  if (field.isMissing) return undefined;
  return {
    maxLength: field.get("max_length").count(),
    side: field.get("direction").choice(sides, "Right"),
    strategy: field.get("strategy").choice(truncationStrategies, "LongestFirst"),
  };
}

function readPadding(field: JsonField): Padding | undefined {
  if (field.isMissing) return undefined;
  const strategy = field.get("strategy");
  const fixed = typeof strategy.value === "string" ? undefined : strategy.get("Fixed");
  // Every text is padded to it, also a short one.
  const maxLength = 2 ** 17;
  const tokens = (length: JsonField, fallback: number) =>
    length.count(fallback) <= maxLength
      ? length.count(fallback)
      : length.unsupported(`at most ${maxLength} tokens`);
  return {
    padId: field.get("pad_id").count(0),
    typeId: field.get("pad_type_id").count(0),
    side: field.get("direction").choice(sides, "Right"),
    length: fixed ? tokens(fixed, 0) : 0,
    multipleOf: Math.max(1, tokens(field.get("pad_to_multiple_of"), 1)),
  };
}

function asField(file: unknown, source: string): JsonField {
  const context = { fn: "tokenizerFromJson", source };
  if (typeof file === "string") return JsonField.parse(file, context);
  if (file instanceof Uint8Array) return JsonField.parse(new TextDecoder().decode(file), context);
  if (typeof file === "object" && file !== null && !Array.isArray(file)) return new JsonField(file, context);
  throw new ArgumentError({
    fn: "tokenizerFromJson",
    argument: source,
    received: file,
    expected: "the file's text, its bytes, or the result of JSON.parse",
    fix: 'give `await readFile("tokenizer.json")`, or `await (await fetch(url)).json()`.',
  });
}

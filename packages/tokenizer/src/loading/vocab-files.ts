import { ArgumentError, checks } from "@qkv/core";
import type { AddedToken } from "../added-tokens.js";
import { byteLevelBpe } from "../byte-level-bpe.js";
import { composeTokenizer } from "../compose-tokenizer.js";
import { decodeSteps, wordPieceStep } from "../decoders/decode-steps.js";
import { wordPiece } from "../models/word-piece.js";
import {
  bertNormalizerOptions,
  bertNormalizers,
  type BertNormalizerOptions,
} from "../normalizers/bert-normalizer.js";
import { bertSplit } from "../pre-tokenizers/simple-splits.js";
import type { Split } from "../pre-tokenizers/split.js";
import { template } from "../template.js";
import type { Tokenizer } from "../tokenizer.js";
import { JsonField } from "./json-field.js";

/**
 * The tokenizer of GPT-2's two files, `vocab.json` (or `encoder.json`) and `merges.txt` (or `vocab.bpe`).
 *
 * @param vocab - The first file's text or bytes.
 * @param merges - The second file's text or bytes: a merge on each line, and a line `#version` in front.
 * @param options - `split`: the pre-tokenizer. Default: {@link gpt2Split}. `specialTokens`: tokens with
 *   their ids. Default: `<|endoftext|>`, if the vocabulary has it.
 * @returns A special token inside a text is ordinary text unless `encode` is given `specialTokens`, as in OpenAI's encoder.
 * @throws {FormatError} If the vocabulary is no JSON; {@link ArgumentError} if a merge or a token is damaged.
 *
 * @example
 * ```ts
 * import { gpt2Tokenizer } from "@qkv/tokenizer";
 *
 * gpt2Tokenizer('{"h": 0, "i": 1, "hi": 2}', "#version: 0.2\nh i\n").encode("hi"); // => [2]
 * ```
 */
export function gpt2Tokenizer(
  vocab: string | Uint8Array,
  merges: string | Uint8Array,
  options: { split?: Split; specialTokens?: Readonly<Record<string, number>> } = {},
): Tokenizer {
  checks("gpt2Tokenizer").options(options, ["split", "specialTokens"]);
  const field = JsonField.parse(decodeText(vocab, "vocab"), { fn: "gpt2Tokenizer", source: "vocab.json" });
  const ids = field.object() as Record<string, number>;
  const lines = decodeText(merges, "merges").split(/\r?\n/);
  const pairs = lines.filter((line, i) => line !== "" && !(i === 0 && line.startsWith("#version")));
  const end = "<|endoftext|>";
  const specialTokens = options.specialTokens ?? (Object.hasOwn(ids, end) ? { [end]: ids[end]! } : {});
  const { stages } = byteLevelBpe({ vocab: ids, merges: pairs }, { ...options, specialTokens });
  return composeTokenizer({ ...stages, specialTokens: "ordinary" });
}

/**
 * The tokenizer of BERT's `vocab.txt`: a token on each line, its id the line's number from 0.
 *
 * @param file - The file's text or bytes. It needs `[UNK]`; `[CLS]`, `[SEP]`, `[PAD]` and `[MASK]` are special.
 * @param options - Normalization. Default: uncased BERT's; `{ lowercase: false }` is the cased one.
 * @throws {ArgumentError} If there is no `[UNK]`, or a token comes twice.
 *
 * @example
 * ```ts
 * import { bertTokenizer } from "@qkv/tokenizer";
 *
 * const tokenizer = bertTokenizer("[PAD]\n[UNK]\n[CLS]\n[SEP]\nhello\nworld\n##s");
 * tokenizer.encode("Hello worlds"); // => [2, 4, 5, 6, 3]
 * ```
 */
export function bertTokenizer(file: string | Uint8Array, options: BertNormalizerOptions = {}): Tokenizer {
  checks("bertTokenizer").options(options, bertNormalizerOptions);
  const lines = decodeText(file, "file").split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  const ids = Object.fromEntries(lines.map((token, id) => [token, id]));
  const unknownId = Object.hasOwn(ids, "[UNK]") ? ids["[UNK]"] : undefined;
  if (unknownId === undefined || Object.keys(ids).length !== lines.length) {
    throw new ArgumentError({
      fn: "bertTokenizer",
      argument: "file",
      received: `${lines.length} lines, ${Object.keys(ids).length} of them different`,
      expected: "a token on each line, all different, [UNK] among them",
      fix: "give a vocab.txt as BERT's checkpoints have it.",
    });
  }
  const special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"].filter((token) => Object.hasOwn(ids, token));
  const hasEnds = special.includes("[CLS]") && special.includes("[SEP]");
  return composeTokenizer({
    normalizers: bertNormalizers(options),
    preTokenizers: [bertSplit],
    model: wordPiece({ vocab: ids, unknownId }),
    ...(hasEnds && { postProcessor: template(ids, "[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1") }),
    decoder: decodeSteps([wordPieceStep()]),
    addedTokens: special.map((content): AddedToken => ({ content, id: ids[content]!, special: true })),
    bosId: hasEnds ? ids["[CLS]"] : undefined,
    eosId: hasEnds ? ids["[SEP]"] : undefined,
  });
}

function decodeText(file: string | Uint8Array, argument: string): string {
  if (typeof file === "string") return file;
  if (file instanceof Uint8Array) return new TextDecoder().decode(file);
  throw new ArgumentError({
    fn: argument === "file" ? "bertTokenizer" : "gpt2Tokenizer",
    argument,
    received: file,
    expected: "the file's text or bytes",
    fix: "give what `await readFile(path)` gives.",
  });
}

import { FormatError, readGgufHeader, type GgufHeader, type GgufValue, checks } from "@qkv/core";
import type { AddedToken } from "../added-tokens.js";
import { composeTokenizer } from "../compose-tokenizer.js";
import { byteLevelDecode } from "../decoding/byte-level-decode.js";
import { byteFallbackStep, decodeSteps, replaceStep, wordPieceStep } from "../decoding/decode-steps.js";
import { byteBpe } from "../models/byte-bpe.js";
import { characterBpe } from "../models/character-bpe.js";
import { wordPiece } from "../models/word-piece.js";
import { bertRewrites } from "../rewriting/bert-rewrite.js";
import { replaceText } from "../rewriting/replace.js";
import { splitOfPattern } from "../splitting/known-splits.js";
import { bertSplit } from "../splitting/simple-splits.js";
import type { Template, TemplateItem } from "../template.js";
import type { Tokenizer } from "../tokenizer.js";
import { ggufSplit, ggufSplitNames } from "./gguf-splits.js";
import { composeSentencePiece } from "./sentencepiece.js";

/**
 * The tokenizer in a GGUF file: `llama` (SentencePiece BPE), `t5` (Unigram), `bert` (WordPiece), or `gpt2`
 * (byte-level BPE, with each way of splitting that llama.cpp knows by name in `tokenizer.ggml.pre`).
 *
 * @param file - The file's bytes, or a part from its start that holds the header; or a header that was read.
 * @returns Special tokens inside a text become their ids unless `encode` is asked otherwise.
 * @throws {FormatError} If a field is missing or wrong, or `tokenizer.ggml.pre` is a name that nobody knows: text that
 *   is split by another rule gets other ids, and nothing would say so.
 * @see ggml-org/llama.cpp, src/llama-vocab.cpp
 */
export function ggufTokenizer(file: Uint8Array | GgufHeader): Tokenizer {
  checks("ggufTokenizer").each(
    { file },
    (value) => value instanceof Uint8Array || typeof (value as GgufHeader | null)?.metadata === "object",
    "a file's bytes, or a header that was read",
  );
  const header = file instanceof Uint8Array ? readGgufHeader(file, "ggufTokenizer") : file;
  const fields = new Fields(header.metadata);
  const model = fields.text("model");
  const tokens = fields.texts("tokens");
  const types = fields.numbers("token_type", tokens.length);
  const idOf = (name: string): number | undefined => {
    const id = fields.number(`${name}_token_id`);
    return id !== undefined && id < tokens.length ? id : undefined;
  };
  const around = (defaults: { bos?: boolean; eos?: boolean; sep?: boolean }): Template => {
    const items = (name: string, id: number | undefined, otherwise = false): TemplateItem[] =>
      id !== undefined && fields.flag(`add_${name}_token`, otherwise) ? [{ id, type: 0 }] : [];
    const [bos, eos] = [items("bos", bosId, defaults.bos), items("eos", eosId, defaults.eos)];
    const sep = items("sep", idOf("seperator") ?? idOf("separator") ?? eosId, defaults.sep);
    const end = [...eos, ...(eos.length > 0 ? [] : sep)];
    const single: TemplateItem[] = [...bos, { text: "A", type: 0 }, ...end];
    return { single, pair: [...single, { text: "B", type: 1 }, ...end] };
  };
  const [bosId, eosId] = [idOf("bos"), idOf("eos")];
  // Files without types still name the tokens that steer.
  const steering = new Set(
    ["bos", "eos", "unknown", "padding", "cls", "seperator", "separator", "mask"].map(idOf),
  );
  const added = tokens.flatMap((content, id): AddedToken[] =>
    types[id] === 3 || types[id] === 4 || (model === "bert" && steering.has(id))
      ? [{ id, content, special: types[id] !== 4 }]
      : [],
  );

  if (model === "llama" || model === "t5") {
    const scores = fields.numbers("scores", tokens.length);
    const unknownId = idOf("unknown") ?? (model === "t5" ? 2 : 0);
    const template = around({ bos: model === "llama", eos: model === "t5" });
    return composeSentencePiece(
      {
        pieces: tokens.map((text, id) => ({
          text,
          score: scores[id]!,
          type: id === unknownId ? 2 : (types[id] ?? 1),
        })),
        settings: {
          kind: model === "llama" ? "bpe" : "unigram",
          byteFallback: types.includes(6),
          spaceAsSuffix: fields.flag("treat_whitespace_as_suffix", false),
          dummyPrefix: fields.flag("add_space_prefix", true),
          removeExtraSpaces: fields.flag("remove_extra_whitespaces", false),
          escapeSpaces: true,
          characterMap: Uint8Array.from(fields.list("precompiled_charsmap") as number[]),
          unknownText: " \u2047 ",
          bosId,
          eosId,
        },
      },
      { template, specialTokens: "allowed" },
    );
  }
  if (model === "bert") {
    const [clsId, sepId] = [idOf("cls") ?? bosId, idOf("seperator") ?? idOf("separator") ?? eosId];
    const small = fields.flag("normalizer.lowercase", true);
    const isSpecial = (token: string, id: number) => types[id] === 3 || /^\[.+\]$/.test(token);
    // A token that begins a word carries ▁ in the file, one inside a word nothing; BERT's own files have it the other way.
    const vocab = tokens.map((token, id) =>
      isSpecial(token, id) ? token : token.startsWith("▁") ? token.slice(1) : `##${token}`,
    );
    const ends = [clsId, sepId].map((id): TemplateItem[] => (id === undefined ? [] : [{ id, type: 0 }]));
    const single: TemplateItem[] = [...ends[0]!, { text: "A", type: 0 }, ...ends[1]!];
    return composeTokenizer({
      normalize: bertRewrites({
        lowercase: small,
        stripAccents: fields.flag("normalizer.strip_accents", small),
      }),
      preTokenize: [bertSplit],
      model: wordPiece({ vocab: withoutDoubles(vocab), unknownId: idOf("unknown") ?? 100 }),
      postProcess: {
        single,
        pair: [...single, { text: "B", type: 1 }, ...ends[1]!.map((item) => ({ ...item, type: 1 }))],
      },
      decode: decodeSteps([wordPieceStep()]),
      addedTokens: added,
      bosId: clsId,
      eosId: sepId,
    });
  }
  if (model === "gpt2" || model === "gemma4") {
    const pre = model === "gemma4" ? "gemma4" : fields.text("pre");
    const split =
      ggufSplit(pre) ?? fields.fail("pre", pre, `a name that is known: ${ggufSplitNames().join(", ")}`);
    const merges = fields.texts("merges");
    const preTokenize = split.patterns.map((pattern, i) =>
      splitOfPattern(pattern, { dialect: "rust", field: `tokenizer.ggml.pre ${pre}, pattern ${i + 1}` }),
    );
    const { wholePieces = false } = split;
    const inText = split.spacesAsMarks || split.plainText;
    const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));
    const pairs = merges.map((merge): readonly [string, string] => {
      const cut = merge.indexOf(" ", 1); // a side may begin with a space
      return [merge.slice(0, cut), merge.slice(cut + 1)];
    });
    return composeTokenizer({
      normalize: split.spacesAsMarks ? [replaceText(" ", "▁")] : [],
      preTokenize,
      model: inText
        ? characterBpe({
            vocab,
            merges: pairs,
            wholePieces,
            byteFallback: true,
            dropUnknown: true,
            unknownId: idOf("unknown"),
          })
        : byteBpe({ vocab, merges: pairs, wholePieces, unknown: "drop" }),
      postProcess: around({ bos: split.addBos ?? false, sep: split.addSeparator ?? false }),
      decode: inText ? decodeSteps([replaceStep("▁", " "), byteFallbackStep]) : byteLevelDecode,
      addedTokens: added,
      bosId,
      eosId,
    });
  }
  return fields.fail("model", model, "llama, t5, bert, gpt2 or gemma4");
}

/** A token of each writing: where a file has it twice, the first counts and the others are gaps. */
function withoutDoubles(tokens: readonly string[]): Readonly<Record<string, number>> {
  const ids: Record<string, number> = {};
  tokens.forEach((token, id) => {
    if (!Object.hasOwn(ids, token)) ids[token] = id;
  });
  return ids;
}

/** The entries under `tokenizer.ggml`, each checked for its kind. */
class Fields {
  readonly #metadata: ReadonlyMap<string, GgufValue>;

  constructor(metadata: ReadonlyMap<string, GgufValue>) {
    this.#metadata = metadata;
  }

  text(name: string): string {
    const value = this.#get(name);
    return typeof value === "string" ? value : this.fail(name, value, "a text");
  }

  number(name: string): number | undefined {
    const value = this.#get(name);
    if (value === undefined) return undefined;
    return typeof value === "number" ? value : this.fail(name, value, "a number");
  }

  flag(name: string, otherwise: boolean): boolean {
    const value = this.#get(name);
    if (value === undefined) return otherwise;
    return typeof value === "boolean" ? value : this.fail(name, value, "true or false");
  }

  list(name: string): readonly GgufValue[] {
    const value = this.#get(name);
    if (value === undefined) return [];
    return Array.isArray(value) ? (value as readonly GgufValue[]) : this.fail(name, value, "a list");
  }

  texts(name: string): readonly string[] {
    const list = this.list(name);
    if (list.length === 0) this.fail(name, this.#get(name), "a list of texts");
    return list.every((item) => typeof item === "string") ? list : this.fail(name, list, "a list of texts");
  }

  /** Numbers, one for each token; zeros where there are none. */
  numbers(name: string, count: number): readonly number[] {
    const list = this.list(name);
    if (list.length === 0) return new Array<number>(count).fill(name === "token_type" ? 1 : 0);
    if (list.length !== count) this.fail(name, `${list.length} numbers`, `${count}, one for each token`);
    return list.every((item) => typeof item === "number") ? list : this.fail(name, list, "a list of numbers");
  }

  fail(name: string, received: unknown, expected: string): never {
    throw new FormatError({
      fn: "ggufTokenizer",
      argument: `GGUF file: tokenizer.ggml.${name}`,
      received,
      expected,
      fix: "give a file whose tokenizer llama.cpp loads too, or make the tokenizer from the model's tokenizer.json.",
    });
  }

  #get(name: string): GgufValue | undefined {
    return this.#metadata.get(`tokenizer.ggml.${name}`);
  }
}

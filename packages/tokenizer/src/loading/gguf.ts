import { FormatError, readGgufHeader, type GgufHeader, type GgufValue, checks, knownNames } from "@qkv/core";
import type { AddedToken } from "../added-tokens.js";
import { composeTokenizer } from "../compose-tokenizer.js";
import { byteLevelDecoder } from "../decoders/byte-level-decoder.js";
import { byteFallbackStep, decodeSteps, replaceStep, wordPieceStep } from "../decoders/decode-steps.js";
import { byteBpe } from "../models/byte-bpe.js";
import { characterBpe } from "../models/character-bpe.js";
import { wordPiece } from "../models/word-piece.js";
import { bertNormalizers } from "../normalizers/bert-normalizer.js";
import { replaceText } from "../normalizers/replace.js";
import { splitFromPattern } from "../pre-tokenizers/known-splits.js";
import { bertSplit } from "../pre-tokenizers/simple-splits.js";
import type { Template, TemplateItem } from "../template.js";
import type { Tokenizer } from "../tokenizer.js";
import { ggufSplit, ggufSplitNames } from "./gguf-splits.js";
import { composeSentencePiece } from "./sentencepiece.js";

/**
 * The tokenizer in a GGUF file: `llama` (SentencePiece BPE), `t5` (Unigram), `bert` (WordPiece), or `gpt2`
 * (byte-level BPE, with each pre-tokenizer that llama.cpp names in `tokenizer.ggml.pre`).
 *
 * Pre-tokenizers: `default`, `llama3`, `llama-v3`, `llama-bpe`, `falcon3`, `falcon-h1`, `pixtral`, `midm-2.0`, `lfm2`,
 * `jina-v5-nano`, `dbrx`, `smaug-bpe`, `glm4`, `chatglm-bpe`, `minicpm5`, `jais-2`, `qwen2`, `deepseek-r1-qwen`, `kormo`,
 * `f2llmv2`, `megrez`, `stablelm2`, `hunyuan`, `solar-open`, `grok-2`, `laguna`, `ufakzeka`, `qwen35`, `seed-coder`, `bailingmoe`,
 * `bailingmoe2`, `llada-moe`, `exaone-moe`, `gpt-2`, `phi-2`, `jina-es`, `jina-de`, `jina-v2-es`, `jina-v2-de`, `gigachat`,
 * `a.x-4.0`, `mellum`, `modern-bert`, `exaone4`, `mpt`, `olmo`, `jais`, `trillion`, `granite-docling`, `jina-v1-en`,
 * `jina-v2-code`, `roberta-bpe`, `starcoder`, `refact`, `command-r`, `smollm`, `codeshell`, `exaone`, `minerva-7b`, `mellum2`,
 * `falcon`, `deepseek-llm`, `deepseek-coder`, `deepseek-v3`, `hunyuan-dense`, `joyai-llm`, `hy_v4`, `spark2_5`, `youtu`, `afmoe`,
 * `kimi-k2`, `poro-chat`, `bloom`, `gpt3-finnish`, `viking`, `tekken`, `gpt-4o`, `llama4`, `kanana2`, `talkie`, `minimax-m2`,
 * `granite-embed-multi-97m`, `tiny_aya`, `cohere2moe`, `superbpe`, `chameleon`, `gemma4`, `granite-embed-multi-311m`, `sarvam-moe`
 * and `whitespace`.
 *
 * @param file - The file's bytes, or a part from its start that holds the header; or a header that was read.
 * @returns Special tokens inside a text become their ids unless `encode` is given `specialTokens`.
 * @throws {FormatError} If a field is missing or wrong, or `tokenizer.ggml.pre` is an unknown name: another
 *   pre-tokenizer would give other ids, silently.
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
  const tokenId = (name: string): number | undefined => {
    const id = fields.number(`${name}_token_id`);
    return id !== undefined && id < tokens.length ? id : undefined;
  };
  const createTemplate = (defaults: { bos?: boolean; eos?: boolean; sep?: boolean }): Template => {
    const items = (name: string, id: number | undefined, fallback = false): TemplateItem[] =>
      id !== undefined && fields.flag(`add_${name}_token`, fallback) ? [{ id, typeId: 0 }] : [];
    const [bos, eos] = [items("bos", bosId, defaults.bos), items("eos", eosId, defaults.eos)];
    const sep = items("sep", tokenId("seperator") ?? tokenId("separator") ?? eosId, defaults.sep);
    const end = [...eos, ...(eos.length > 0 ? [] : sep)];
    const single: TemplateItem[] = [...bos, { sequence: "A", typeId: 0 }, ...end];
    return { single, pair: [...single, { sequence: "B", typeId: 1 }, ...end] };
  };
  const [bosId, eosId] = [tokenId("bos"), tokenId("eos")];
  // Files without token types still name their control tokens.
  const controlIds = new Set(
    ["bos", "eos", "unknown", "padding", "cls", "seperator", "separator", "mask"].map(tokenId),
  );
  const addedTokens = tokens.flatMap((content, id): AddedToken[] =>
    types[id] === 3 || types[id] === 4 || (model === "bert" && controlIds.has(id))
      ? [{ id, content, special: types[id] !== 4 }]
      : [],
  );

  if (model === "llama" || model === "t5") {
    const scores = fields.numbers("scores", tokens.length);
    const unknownId = tokenId("unknown") ?? (model === "t5" ? 2 : 0);
    const template = createTemplate({ bos: model === "llama", eos: model === "t5" });
    return composeSentencePiece(
      {
        pieces: tokens.map((text, id) => ({
          text,
          score: scores[id]!,
          type: id === unknownId ? 2 : (types[id] ?? 1),
        })),
        settings: {
          modelType: model === "llama" ? "bpe" : "unigram",
          byteFallback: types.includes(6),
          treatWhitespaceAsSuffix: fields.flag("treat_whitespace_as_suffix", false),
          addDummyPrefix: fields.flag("add_space_prefix", true),
          removeExtraWhitespaces: fields.flag("remove_extra_whitespaces", false),
          escapeWhitespaces: true,
          precompiledCharsmap: Uint8Array.from(fields.list("precompiled_charsmap") as number[]),
          unknownSurface: " \u2047 ",
          bosId,
          eosId,
        },
      },
      { template, specialTokens: "allowed" },
    );
  }
  if (model === "bert") {
    const [clsId, sepId] = [tokenId("cls") ?? bosId, tokenId("seperator") ?? tokenId("separator") ?? eosId];
    const isLowercase = fields.flag("normalizer.lowercase", true);
    const isSpecial = (token: string, id: number) => types[id] === 3 || /^\[.+\]$/.test(token);
    // In GGUF, tokens that begin a word have ▁; in BERT's original files, tokens inside a word have ##.
    const vocab = tokens.map((token, id) =>
      isSpecial(token, id) ? token : token.startsWith("▁") ? token.slice(1) : `##${token}`,
    );
    const [clsItem, sepItem] = [clsId, sepId].map((id): TemplateItem[] =>
      id === undefined ? [] : [{ id, typeId: 0 }],
    );
    const single: TemplateItem[] = [...clsItem!, { sequence: "A", typeId: 0 }, ...sepItem!];
    return composeTokenizer({
      normalizers: bertNormalizers({
        lowercase: isLowercase,
        stripAccents: fields.flag("normalizer.strip_accents", isLowercase),
      }),
      preTokenizers: [bertSplit],
      model: wordPiece({ vocab: withoutDuplicates(vocab), unknownId: tokenId("unknown") ?? 100 }),
      postProcessor: {
        single,
        pair: [...single, { sequence: "B", typeId: 1 }, ...sepItem!.map((item) => ({ ...item, typeId: 1 }))],
      },
      decoder: decodeSteps([wordPieceStep()]),
      addedTokens,
      bosId: clsId,
      eosId: sepId,
    });
  }
  if (model === "gpt2" || model === "gemma4") {
    const pre = model === "gemma4" ? "gemma4" : fields.text("pre");
    const split =
      ggufSplit(pre) ??
      fields.unsupported(
        "pre",
        pre,
        `a name that is known: ${knownNames(pre, ggufSplitNames(), "the reference of `ggufTokenizer`")}`,
      );
    const merges = fields.texts("merges");
    const preTokenizers = split.patterns.map((pattern, i) =>
      splitFromPattern(pattern, { dialect: "rust", field: `tokenizer.ggml.pre ${pre}, pattern ${i + 1}` }),
    );
    const { ignoreMerges = false } = split;
    const isText = split.escapeWhitespaces || split.plainText;
    const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));
    const pairs = merges.map((merge): readonly [string, string] => {
      const cut = merge.indexOf(" ", 1); // a side may begin with a space
      return [merge.slice(0, cut), merge.slice(cut + 1)];
    });
    return composeTokenizer({
      normalizers: split.escapeWhitespaces ? [replaceText(" ", "▁")] : [],
      preTokenizers,
      model: isText
        ? characterBpe({
            vocab,
            merges: pairs,
            ignoreMerges,
            byteFallback: true,
            dropUnknown: true,
            unknownId: tokenId("unknown"),
          })
        : byteBpe({ vocab, merges: pairs, ignoreMerges, unknown: "drop" }),
      postProcessor: createTemplate({ bos: split.addBos ?? false, sep: split.addSeparator ?? false }),
      decoder: isText ? decodeSteps([replaceStep("▁", " "), byteFallbackStep]) : byteLevelDecoder,
      addedTokens,
      bosId,
      eosId,
    });
  }
  return fields.unsupported("model", model, "llama, t5, bert, gpt2 or gemma4");
}

/** A vocabulary without duplicates: the first of equal tokens keeps its id, the ids of the others are gaps. */
function withoutDuplicates(tokens: readonly string[]): Readonly<Record<string, number>> {
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

  flag(name: string, fallback: boolean): boolean {
    const value = this.#get(name);
    if (value === undefined) return fallback;
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

  /** A number for each token. Default: 1 (normal) for `token_type`, else 0. */
  numbers(name: string, count: number): readonly number[] {
    const list = this.list(name);
    if (list.length === 0) return new Array<number>(count).fill(name === "token_type" ? 1 : 0);
    if (list.length !== count) this.fail(name, `${list.length} numbers`, `${count}, one per token`);
    return list.every((item) => typeof item === "number") ? list : this.fail(name, list, "a list of numbers");
  }

  /** Refuses a valid value that is not implemented. */
  unsupported(name: string, value: string, expected: string): never {
    const given = `tokenizer.ggml.${name}: ${JSON.stringify(value)}`;
    const fix = `qkv does not implement \`${given}\`. Make the tokenizer from the model's tokenizer.json.`;
    return this.fail(name, value, expected, fix);
  }

  fail(
    name: string,
    received: unknown,
    expected: string,
    fix = "download the file again, or make the tokenizer from the model's tokenizer.json: the field is damaged.",
  ): never {
    throw new FormatError({
      fn: "ggufTokenizer",
      argument: `GGUF file: tokenizer.ggml.${name}`,
      received,
      expected,
      fix,
    });
  }

  #get(name: string): GgufValue | undefined {
    return this.#metadata.get(`tokenizer.ggml.${name}`);
  }
}

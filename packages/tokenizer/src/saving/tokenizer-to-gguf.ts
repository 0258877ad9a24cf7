import { type GgufField, checks } from "@qkv/core";
import { checkTokenizer } from "../check-arguments.js";
import { ggufSplit, ggufSplitNames } from "../loading/gguf-splits.js";
import { byteFallbackValue } from "../models/character-bpe.js";
import type { MergePair } from "../models/merge-list.js";
import type { Piece } from "../models/model.js";
import type { SentencePieceNormalizer } from "../normalizers/sentencepiece-normalizer.js";
import { splitFromPattern } from "../pre-tokenizers/known-splits.js";
import type { Template } from "../template.js";
import type { Tokenizer } from "../tokenizer.js";
import { mergesFromVocabulary } from "./merges-from-vocabulary.js";
import { piecesFromMerges } from "./pieces-from-merges.js";

type Fields = Record<string, GgufField>;

/**
 * A tokenizer as the metadata of a GGUF file holds it, `tokenizer.ggml.…`: SentencePiece BPE (`llama`), byte-level BPE
 * (`gpt2`) or WordPiece (`bert`). llama.cpp and {@link ggufTokenizer} give the same ids, but for Unicode normalization
 * (NFC), which those files do not have.
 *
 * @param tokenizer - Its stages must have an equivalent in llama.cpp.
 * @param options - `vocabSize`: number of rows of the model's embedding; ids without a token are written as unused.
 *   `eosId`: the token at which texts end. Default: the tokenizer's.
 * @throws {ArgumentError} If llama.cpp has no such stage: a model of another kind, a normalizer, a split that it has no name
 *   for, tokens around a text other than one at its ends. The stage is named.
 *
 * @example
 * ```ts
 * import { byteLevelBpe, tokenizerToGguf } from "@qkv/tokenizer";
 *
 * const tokenizer = byteLevelBpe({ vocab: ["a", "b", "ab", "<|endoftext|>"], merges: ["a b"] }, {
 *   specialTokens: { "<|endoftext|>": 3 },
 * });
 * tokenizerToGguf(tokenizer)["tokenizer.ggml.pre"]; // => { type: "string", value: "gpt-2" }
 * ```
 */
export function tokenizerToGguf(
  tokenizer: Tokenizer,
  options: { vocabSize?: number; eosId?: number | undefined } = {},
): Fields {
  const check = checks("tokenizerToGguf");
  check.options(options, ["vocabSize", "eosId"]);
  checkTokenizer(check, { tokenizer }, ["encode", "decode"]);
  const { vocabSize = tokenizer.vocabSize, eosId = tokenizer.eosId } = options;
  const source = { ...tokenizer, eosId };
  const { model } = tokenizer.stages;
  const json = model.pieces ? undefined : (model.json?.() as Json | undefined);
  const written = model.isByteLevel
    ? byteLevel(source, json!)
    : model.pieces || (json?.type === "BPE" && json.byte_fallback)
      ? sentencePiece(source, json)
      : json?.type === "WordPiece"
        ? wordPiece(source, json)
        : refuseStage(
            "model",
            model.name,
            "byte-level BPE, SentencePiece's BPE or BPE that falls back to bytes, or WordPiece",
          );
  const { tokens, types, fields } = written;
  // llama.cpp has a default id for a field that is missing, and no value for "none".
  const defaultEosId = { gpt2: 11, llama: 2, bert: Infinity }[fields.model.value as string]!;
  if (!fields["eos_token_id"] && tokens.length > defaultEosId)
    refuseStage(
      "eosId",
      undefined,
      `a token that ends texts: without one llama.cpp takes token ${defaultEosId} for it`,
    );
  for (let id = tokens.length; id < vocabSize; id++) {
    tokens.push(`[PAD${id}]`);
    types.push(5);
  }
  return Object.fromEntries(
    Object.entries<GgufField | undefined>({
      ...fields,
      tokens: { type: "string[]", value: tokens },
      token_type: { type: "int32[]", value: types },
      ...(fields["scores"] && {
        scores: {
          type: "float32[]",
          value: Array.from({ length: tokens.length }, (_, id) => Number(fields["scores"]!.value[id] ?? 0)),
        },
      }),
    }).flatMap(([name, field]) => (field ? [[`tokenizer.ggml.${name}`, field]] : [])),
  );
}

/** The fields of `tokenizer.json` that are used. */
type Json = {
  type?: string;
  byte_fallback?: boolean;
  ignore_merges?: boolean;
  unk_token?: string | null;
  merges?: readonly MergePair[];
  continuing_subword_prefix?: string | null;
  end_of_word_suffix?: string | null;
};

type Written = {
  tokens: string[];
  /** 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte. */
  types: number[];
  fields: { [name: string]: GgufField | undefined } & {
    model: GgufField;
    scores?: { type: "float32[]"; value: number[] };
  };
};

const text = (value: string): GgufField => ({ type: "string", value });
const uint32 = (value: number | undefined): GgufField | undefined =>
  value === undefined ? undefined : { type: "uint32", value };
const bool = (value: boolean): GgufField => ({ type: "bool", value });

function byteLevel(tokenizer: Tokenizer, json: Json): Written {
  const { model, normalizers = [], postProcessor } = tokenizer.stages;
  const other = normalizers.find(({ name }) => name !== "NFC");
  if (other) refuseStage("normalizers", other.name, "nothing, or NFC, which those files leave out");
  const { bosId, eosId, addBos, addEos } = boundaryTokens(tokenizer, postProcessor);
  const merges = json.merges?.map((pair) => (typeof pair === "string" ? pair : pair.join(" ")));
  const { tokens, types } = readVocabulary(tokenizer);
  return {
    tokens,
    types,
    fields: {
      model: text("gpt2"),
      pre: text(splitName(tokenizer, json.ignore_merges === true)),
      merges: { type: "string[]", value: merges ?? mergesFromVocabulary(model) },
      bos_token_id: uint32(bosId),
      eos_token_id: uint32(eosId),
      add_bos_token: bool(addBos),
      add_eos_token: bool(addEos),
    },
  };
}

/** The name of the pre-tokenizer in llama.cpp (`tokenizer.ggml.pre`). */
function splitName({ stages: { preTokenizers = [] } }: Tokenizer, ignoreMerges: boolean): string {
  const steps = preTokenizers.filter(({ json }) => json !== null);
  const hasPattern = (step: (typeof steps)[0], pattern: string): boolean => {
    const { type, individual_digits, use_regex } = (step.json ?? {}) as Record<string, unknown>;
    if (type === "Digits") return individual_digits === true && pattern === "\\p{N}";
    if (type === "ByteLevel") return use_regex !== false && pattern === gpt2;
    return (
      step.json === splitFromPattern(pattern, { dialect: "rust" }).json || splitPattern(step.json) === pattern
    );
  };
  const splits = steps.filter(({ json }) => {
    const { type, use_regex } = (json ?? {}) as Record<string, unknown>;
    return !(type === "ByteLevel" && use_regex === false); // byte-to-unicode only: no split
  });
  // The first of equivalent names; `llama-bpe` is the usual one for Llama 3.
  const name = ["llama-bpe", ...ggufSplitNames()].find((name) => {
    const split = ggufSplit(name)!;
    const { patterns, escapeWhitespaces, plainText } = split;
    if (escapeWhitespaces || plainText || (split.ignoreMerges ?? false) !== ignoreMerges) return false;
    return (
      patterns.length === splits.length && patterns.every((pattern, i) => hasPattern(splits[i]!, pattern))
    );
  });
  const received = preTokenizers.map(({ name }) => name).join(", ") || "nothing";
  return (
    name ?? refuseStage("preTokenizers", received, "a split that llama.cpp has a name for, such as gpt2Split")
  );
}

const gpt2 = /* @__PURE__ */ (() => ggufSplit("gpt-2")!.patterns[0]!)();

function splitPattern(json: unknown): string | undefined {
  const { type, pattern, behavior, invert } = (json ?? {}) as {
    type?: string;
    pattern?: { Regex?: string };
    behavior?: string;
    invert?: boolean;
  };
  const isPlainSplit = (behavior === "Isolated" && !invert) || (behavior === "Removed" && invert === true);
  return type === "Split" && isPlainSplit ? pattern?.Regex : undefined;
}

function sentencePiece(tokenizer: Tokenizer, json: Json | undefined): Written {
  const { model, postProcessor, addedTokens = [] } = tokenizer.stages;
  const { bosId, eosId, addBos, addEos } = boundaryTokens(tokenizer, postProcessor);
  const pieces: Piece[] = [...(model.pieces ?? piecesFromModel(tokenizer, json!))];
  for (const { id, content, special } of addedTokens) {
    while (pieces.length < id) pieces.push({ text: `[PAD${pieces.length}]`, score: 0, type: 5 });
    if (pieces[id]?.type !== 2) {
      pieces[id] = { text: content, score: pieces[id]?.score ?? 0, type: special ? 3 : 4 };
    }
  }
  return {
    tokens: pieces.map(({ text }) => text),
    types: pieces.map(({ type }) => type),
    fields: {
      model: text("llama"),
      pre: text("default"),
      scores: { type: "float32[]", value: pieces.map(({ score }) => score) },
      bos_token_id: uint32(bosId),
      eos_token_id: uint32(eosId),
      unknown_token_id: uint32(findIndex(pieces, ({ type }) => type === 2)),
      add_bos_token: bool(addBos),
      add_eos_token: bool(addEos),
      add_space_prefix: bool(addsSpacePrefix(tokenizer)),
    },
  };
}

/** `add_space_prefix`. Refuses normalizers that do more than replace spaces by `▁`. */
function addsSpacePrefix({ stages: { normalizers = [], preTokenizers = [] } }: Tokenizer): boolean {
  const steps = [...normalizers, ...preTokenizers].filter(({ json }) => json !== null);
  const received = steps.map(({ name }) => name).join(", ");
  const [first, second, ...more] = steps;
  const { sentencePiece: options } = (first ?? {}) as Partial<SentencePieceNormalizer>;
  if (options && steps.length === 1) {
    const { map, removeExtraWhitespaces, treatWhitespaceAsSuffix, escapeWhitespaces, addDummyPrefix } =
      options;
    if (map === undefined && !removeExtraWhitespaces && !treatWhitespaceAsSuffix && escapeWhitespaces)
      return addDummyPrefix;
    refuseStage("normalizers", received, "spaces that become ▁, and no more");
  }
  const [a, b] = [first, second].map((step) => JSON.stringify(step?.json));
  const escapes = JSON.stringify({ type: "Replace", pattern: { String: " " }, content: "▁" });
  const prepends = (mark: string) => JSON.stringify({ type: "Prepend", prepend: mark });
  if (a === prepends(" ") && second === undefined) return true;
  if (more.length === 0 && ((a === prepends("▁") && b === escapes) || (a === escapes && b === prepends("▁"))))
    return true;
  if (a === escapes && second === undefined) return false;
  const { type, replacement, prepend_scheme } = (first?.json ?? {}) as Record<string, unknown>;
  if (type === "Metaspace" && replacement === "▁" && second === undefined) return prepend_scheme !== "never";
  return refuseStage("normalizers", received || "nothing", "spaces that become ▁, and no more");
}

/** Tokens with scores, which give the merges of a list. */
function piecesFromModel(tokenizer: Tokenizer, json: Json): Piece[] {
  const { tokens } = readVocabulary(tokenizer);
  const unknown = json.unk_token;
  const special = new Set(tokenizer.stages.addedTokens?.map(({ id }) => id));
  const plain = !json.ignore_merges && !json.continuing_subword_prefix && !json.end_of_word_suffix;
  const types = tokens.map((token, id) =>
    token === unknown ? 2 : byteFallbackValue(token) !== undefined ? 6 : special.has(id) ? 3 : 1,
  );
  const pieces = plain ? piecesFromMerges(tokens, types, json.merges ?? []) : undefined;
  return (
    pieces ?? refuseStage("model", tokenizer.stages.model.name, "merges in the order of the tokens they make")
  );
}

function wordPiece(tokenizer: Tokenizer, json: Json): Written {
  const { normalizers = [], preTokenizers = [], postProcessor } = tokenizer.stages;
  const steps = normalizers
    .filter(({ json }) => json !== null)
    .map(({ json }) => json as Record<string, unknown>);
  const [bert] = steps;
  const cuts = preTokenizers.map(({ json }) => (json as { type?: string } | undefined)?.type);
  if (steps.length !== 1 || bert?.["type"] !== "BertNormalizer" || !bert["clean_text"])
    refuseStage(
      "normalizers",
      normalizers.map(({ name }) => name).join(", "),
      "BERT's normalizers, `bertNormalizers()`",
    );
  if (cuts.join() !== "BertPreTokenizer" || json.continuing_subword_prefix !== "##")
    refuseStage(
      "preTokenizers",
      preTokenizers.map(({ name }) => name).join(", "),
      "`bertSplit`, with ## inside words",
    );
  const { bosId: clsId, eosId: sepId } = boundaryTokens(tokenizer, postProcessor);
  const { tokens, types } = readVocabulary(tokenizer);
  const tokenId = (name: string) => uint32(tokenizer.id(name));
  const isLowercase = bert["lowercase"] === true;
  return {
    // In GGUF, tokens that begin a word have ▁, and tokens inside a word have no mark.
    tokens: tokens.map((token, id) => {
      if (types[id] === 3 || /^\[.+\]$/.test(token)) return token;
      return token.startsWith("##") ? token.slice(2) : `▁${token}`;
    }),
    types,
    fields: {
      model: text("bert"),
      pre: text("default"),
      bos_token_id: uint32(clsId),
      cls_token_id: uint32(clsId),
      eos_token_id: uint32(sepId),
      seperator_token_id: uint32(sepId), // as it is spelled there
      unknown_token_id: tokenId(json.unk_token ?? "[UNK]"),
      padding_token_id: tokenId("[PAD]"),
      mask_token_id: tokenId("[MASK]"),
      "normalizer.lowercase": bool(isLowercase),
      "normalizer.strip_accents": bool((bert["strip_accents"] ?? isLowercase) === true),
    },
  };
}

/** Tokens by id, gaps among them, and their types. */
function readVocabulary(tokenizer: Tokenizer): { tokens: string[]; types: number[] } {
  const added = new Map(tokenizer.stages.addedTokens?.map((token) => [token.id, token]));
  const tokens: string[] = [];
  const types: number[] = [];
  for (let id = 0; id < tokenizer.vocabSize; id++) {
    const token = added.get(id)?.content ?? tokenizer.token(id);
    tokens.push(token ?? `[PAD${id}]`);
    types.push(token === undefined ? 5 : added.has(id) ? (added.get(id)!.special ? 3 : 4) : 1);
  }
  return { tokens, types };
}

/** Tokens at the ends of a text, and whether they are added. */
function boundaryTokens(
  { bosId, eosId }: Tokenizer,
  postProcessor: Template | undefined,
): { bosId: number | undefined; eosId: number | undefined; addBos: boolean; addEos: boolean } {
  const items = postProcessor?.single ?? [{ sequence: "A", typeId: 0 }];
  const at = items.findIndex((item) => "sequence" in item);
  const [before, after] = [items.slice(0, at), items.slice(at + 1)].map((list) =>
    list.map((item) => ("id" in item ? item.id : -1)),
  ) as [number[], number[]];
  if (before.length > 1 || after.length > 1)
    refuseStage("postProcessor", items, "at most one token in front of a text, and one after it");
  return {
    bosId: before[0] ?? bosId,
    eosId: after[0] ?? eosId,
    addBos: before.length > 0,
    addEos: after.length > 0,
  };
}

function findIndex<T>(list: readonly T[], is: (item: T) => boolean): number | undefined {
  const index = list.findIndex(is);
  return index < 0 ? undefined : index;
}

function refuseStage(stage: string, received: unknown, expected: string): never {
  return checks("tokenizerToGguf").refuse({
    argument: stage === "eosId" ? stage : `stages.${stage}`,
    received,
    expected,
    fix:
      stage === "eosId"
        ? "name it: `{ eosId }`, or the model's `stopIds`."
        : "write the model without its tokenizer, or in a format that holds it: `tokenizerToJson`.",
  });
}

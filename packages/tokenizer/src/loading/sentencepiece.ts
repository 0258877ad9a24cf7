import { checks } from "@qkv/core";
import { checkBytes } from "../check-arguments.js";
import type { AddedToken } from "../added-tokens.js";
import { composeTokenizer } from "../compose-tokenizer.js";
import { sentencePieceDecode } from "../decoding/sentencepiece-decode.js";
import { characterBpe } from "../models/character-bpe.js";
import { markedWords } from "../models/marked-words.js";
import type { Model } from "../models/model.js";
import { unigram } from "../models/unigram.js";
import { withSymbols } from "../models/with-symbols.js";
import { readCharacterMap } from "../rewriting/character-map.js";
import { sentencePieceRewrite } from "../rewriting/sentencepiece-rewrite.js";
import type { Template } from "../template.js";
import type { Tokenizer } from "../tokenizer.js";
import { readSentencePieceModel, type SentencePieceModel } from "./sentencepiece-model.js";

/**
 * The tokenizer of a SentencePiece `.model` file: BPE, Unigram, words or characters. It gives the ids that SentencePiece gives.
 *
 * @param bytes - The whole file.
 * @param options - `template`: what stands around a text. Default: nothing, as in SentencePiece itself.
 * @returns The writing of control tokens (`<s>`) inside a text is ordinary text unless `encode` is asked otherwise;
 *   user-defined symbols are tokens wherever they stand.
 * @throws {FormatError} If the file is damaged; the field is named.
 * @see google/sentencepiece, src/sentencepiece_model.proto
 */
export function sentencePieceTokenizer(bytes: Uint8Array, options: { template?: Template } = {}): Tokenizer {
  const check = checks("sentencePieceTokenizer");
  check.options(options, ["template"]);
  checkBytes(check, { bytes });
  return composeSentencePiece(readSentencePieceModel(bytes), options);
}

/** The tokenizer of what a `.model` or a GGUF file says. */
export function composeSentencePiece(
  file: SentencePieceModel,
  options: { template?: Template; specialTokens?: "allowed" | "ordinary" } = {},
): Tokenizer {
  const check = checks("composeSentencePiece");
  check.options(options, ["template", "specialTokens"]);
  check.each(
    { file },
    (value) =>
      Array.isArray((value as SentencePieceModel | null)?.pieces) &&
      Boolean((value as SentencePieceModel).settings),
    "a model's `pieces` and `settings`",
  );
  const { pieces, settings } = file;
  const idsOf = (type: number) => new Set(pieces.flatMap((piece, id) => (piece.type === type ? [id] : [])));
  const [unknown, control, userDefined, unused] = [idsOf(2), idsOf(3), idsOf(4), idsOf(5)];
  const unknownId = [...unknown][0];
  const reserved = new Set([...unknown, ...control, ...unused]);
  const { kind, byteFallback } = settings;
  const texts = pieces.map(({ text }) => text);
  const symbols = Array.from(userDefined, (id) => ({ id, content: texts[id]! }));
  const makeModel = (): Model => {
    if (kind === "unigram")
      return {
        ...unigram({
          pieces: pieces.map(({ text, score }) => [text, score] as const),
          unknownId,
          byteFallback,
          reserved,
          userDefined, // weighed with the others
          float32: true,
        }),
        surfaceId: undefined, // tokens are what `IdToPiece` gives: the name of the unknown piece
      };
    if (kind === "word") return markedWords({ words: texts, unknownId: unknownId ?? 0, byteFallback });
    const characters = characterBpe({
      vocab: texts,
      merges: kind === "bpe" ? { scores: pieces.map(({ score }) => score) } : [],
      byteFallback,
      unknownId,
      fuseUnknown: true,
      reserved: new Set([...reserved, ...userDefined]),
    });
    return { ...withSymbols(characters, symbols), ...(kind === "bpe" && { pieces }) };
  };
  const map =
    settings.characterMap.length === 0
      ? undefined
      : readCharacterMap(settings.characterMap, {
          fn: "sentencePieceTokenizer",
          source: "model file",
          field: "normalizer_spec.precompiled_charsmap",
        });
  return composeTokenizer({
    normalize: [sentencePieceRewrite({ ...settings, map, symbols: symbols.map(({ content }) => content) })],
    model: makeModel(),
    addedTokens: Array.from(control, (id): AddedToken => ({ id, content: texts[id]!, special: true })),
    specialTokens: options.specialTokens ?? "ordinary",
    decode: sentencePieceDecode({
      unknownId,
      unknownText: settings.unknownText,
      dropsSpace: settings.dummyPrefix || settings.removeExtraSpaces,
      dropsAllSpaces: settings.removeExtraSpaces,
      spellsBytes: byteFallback,
    }),
    ...(options.template && { postProcess: options.template }),
    bosId: settings.bosId,
    eosId: settings.eosId,
  });
}

import { checks } from "@qkv/core";
import { checkBytes } from "../check-arguments.js";
import type { AddedToken } from "../added-tokens.js";
import { composeTokenizer } from "../compose-tokenizer.js";
import { sentencePieceDecoder } from "../decoders/sentencepiece-decoder.js";
import { characterBpe } from "../models/character-bpe.js";
import { sentencePieceWordModel } from "../models/sentencepiece-word-model.js";
import type { Model } from "../models/model.js";
import { unigram } from "../models/unigram.js";
import { withUserDefinedSymbols } from "../models/user-defined-symbols.js";
import { readCharsmap } from "../normalizers/charsmap.js";
import { sentencePieceNormalizer } from "../normalizers/sentencepiece-normalizer.js";
import type { Template } from "../template.js";
import type { Tokenizer } from "../tokenizer.js";
import { readSentencePieceModel, type SentencePieceModel } from "./sentencepiece-model.js";

/**
 * The tokenizer of a SentencePiece `.model` file: BPE, Unigram, words or characters. It gives the ids that SentencePiece gives.
 *
 * @param bytes - The whole file.
 * @param options - `template`: special tokens around a text. Default: none, as in SentencePiece itself.
 * @returns Control tokens (`<s>`) written inside a text are ordinary text unless `encode` is given `specialTokens`;
 *   user-defined symbols are always tokens.
 * @throws {FormatError} If the file is damaged; the field is named.
 * @see google/sentencepiece, src/sentencepiece_model.proto
 */
export function sentencePieceTokenizer(bytes: Uint8Array, options: { template?: Template } = {}): Tokenizer {
  const check = checks("sentencePieceTokenizer");
  check.options(options, ["template"]);
  checkBytes(check, { bytes });
  return composeSentencePiece(readSentencePieceModel(bytes), options);
}

/**
 * The tokenizer of a SentencePiece model, read from a `.model` or a GGUF file.
 *
 * @param options - `prefixesParts`: adds the dummy prefix to the text after each added token too, as Marian does.
 */
export function composeSentencePiece(
  file: SentencePieceModel,
  options: { template?: Template; specialTokens?: "allowed" | "ordinary"; prefixesParts?: boolean } = {},
): Tokenizer {
  const check = checks("composeSentencePiece");
  check.options(options, ["template", "specialTokens", "prefixesParts"]);
  check.each(
    { file },
    (value) =>
      Array.isArray((value as SentencePieceModel | null)?.pieces) &&
      Boolean((value as SentencePieceModel).settings),
    "a model's `pieces` and `settings`",
  );
  const { pieces, settings } = file;
  const pieceIds = (type: number) =>
    new Set(pieces.flatMap((piece, id) => (piece.type === type ? [id] : [])));
  const [unknown, control, userDefined, unused] = [pieceIds(2), pieceIds(3), pieceIds(4), pieceIds(5)];
  const unknownId = [...unknown][0];
  const reserved = new Set([...unknown, ...control, ...unused]);
  const { modelType, byteFallback } = settings;
  const texts = pieces.map(({ text }) => text);
  const symbols = Array.from(userDefined, (id) => ({ id, content: texts[id]! }));
  const createModel = (): Model => {
    if (modelType === "unigram")
      return {
        ...unigram({
          pieces: pieces.map(({ text, score }) => [text, score] as const),
          unknownId,
          byteFallback,
          reserved,
          userDefined, // have scores, as ordinary pieces do
          float32: true,
        }),
        unknownSurfaceId: undefined, // as `IdToPiece`: the token of the unknown id is the name of its piece
      };
    if (modelType === "word")
      return sentencePieceWordModel({ words: texts, unknownId: unknownId ?? 0, byteFallback });
    const characters = characterBpe({
      vocab: texts,
      merges: modelType === "bpe" ? { scores: pieces.map(({ score }) => score) } : [],
      byteFallback,
      unknownId,
      fuseUnknown: true,
      reserved: new Set([...reserved, ...userDefined]),
    });
    return { ...withUserDefinedSymbols(characters, symbols), ...(modelType === "bpe" && { pieces }) };
  };
  const map =
    settings.precompiledCharsmap.length === 0
      ? undefined
      : readCharsmap(settings.precompiledCharsmap, {
          fn: "sentencePieceTokenizer",
          source: "model file",
          field: "normalizer_spec.precompiled_charsmap",
        });
  return composeTokenizer({
    normalizers: [
      sentencePieceNormalizer({
        ...{ ...settings, map, symbols: symbols.map(({ content }) => content) },
        ...(options.prefixesParts && { prefixesParts: true }),
      }),
    ],
    model: createModel(),
    addedTokens: Array.from(control, (id): AddedToken => ({ id, content: texts[id]!, special: true })),
    specialTokens: options.specialTokens ?? "ordinary",
    decoder: sentencePieceDecoder({
      unknownId,
      unknownSurface: settings.unknownSurface,
      dropsSpace: settings.addDummyPrefix || settings.removeExtraWhitespaces,
      dropsAllSpaces: settings.removeExtraWhitespaces,
      byteFallback,
    }),
    ...(options.template && { postProcessor: options.template }),
    bosId: settings.bosId,
    eosId: settings.eosId,
  });
}

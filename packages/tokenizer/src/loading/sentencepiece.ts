import { ArgumentError } from "@qkv/core";
import type { AddedToken } from "../added-tokens.js";
import { composeTokenizer } from "../compose-tokenizer.js";
import { sentencePieceDecode } from "../decoding/sentencepiece-decode.js";
import { characterBpe } from "../models/character-bpe.js";
import type { Model } from "../models/model.js";
import { unigram } from "../models/unigram.js";
import { readCharacterMap } from "../rewriting/character-map.js";
import { sentencePieceRewrite } from "../rewriting/sentencepiece-rewrite.js";
import type { Template } from "../template.js";
import type { Tokenizer } from "../tokenizer.js";
import { readSentencePieceModel, type SentencePieceModel } from "./sentencepiece-model.js";

/**
 * The tokenizer of a SentencePiece `.model` file, BPE or Unigram. It gives the ids that SentencePiece gives.
 *
 * @param bytes - The whole file.
 * @param options - `template`: what stands around a text. Default: nothing, as in SentencePiece itself.
 * @returns The writing of control tokens (`<s>`) inside a text is ordinary text unless `encode` is asked otherwise;
 *   user-defined symbols are tokens wherever they stand.
 * @throws {FormatError} If the file is damaged or holds another kind of model; the field is named.
 * @see google/sentencepiece, src/sentencepiece_model.proto
 */
export function sentencePieceTokenizer(bytes: Uint8Array, options: { template?: Template } = {}): Tokenizer {
  if (!(bytes instanceof Uint8Array)) {
    throw new ArgumentError({
      fn: "sentencePieceTokenizer",
      argument: "bytes",
      received: bytes,
      expected: "a Uint8Array",
      fix: "give the file's content: `await readFile(path)`, or `new Uint8Array(await response.arrayBuffer())`.",
    });
  }
  return composeSentencePiece(readSentencePieceModel(bytes), options);
}

/** The tokenizer of what a `.model` or a GGUF file says. */
export function composeSentencePiece(
  file: SentencePieceModel,
  options: { template?: Template; specialTokens?: "allowed" | "ordinary" } = {},
): Tokenizer {
  const { pieces, settings } = file;
  const idsOf = (type: number) => new Set(pieces.flatMap((piece, id) => (piece.type === type ? [id] : [])));
  const [unknown, control, userDefined, unused] = [idsOf(2), idsOf(3), idsOf(4), idsOf(5)];
  const unknownId = [...unknown][0];
  const reserved = new Set([...unknown, ...control, ...unused]);
  const isBpe = settings.kind === "bpe";
  const model: Model = isBpe
    ? characterBpe({
        vocab: pieces.map(({ text }) => text),
        merges: { scores: pieces.map(({ score }) => score) },
        byteFallback: settings.byteFallback,
        unknownId,
        fuseUnknown: true,
        reserved: new Set([...reserved, ...userDefined]),
      })
    : unigram({
        pieces: pieces.map(({ text, score }) => [text, score] as const),
        unknownId,
        byteFallback: settings.byteFallback,
        reserved,
        userDefined,
        float32: true,
      });
  const symbols = [...userDefined].map((id) => pieces[id]!.text);
  const map =
    settings.characterMap.length === 0
      ? undefined
      : readCharacterMap(settings.characterMap, {
          fn: "sentencePieceTokenizer",
          source: "model file",
          field: "normalizer_spec.precompiled_charsmap",
        });
  const added = (ids: Iterable<number>, special: boolean): AddedToken[] =>
    Array.from(ids, (id) => ({ id, content: pieces[id]!.text, special, normalized: !special }));
  return composeTokenizer({
    normalize: [sentencePieceRewrite({ ...settings, map, symbols })],
    model,
    // A user-defined symbol is found after the rewriting, which leaves it alone. Unigram weighs it with the others.
    addedTokens: [...added(control, true), ...(isBpe ? added(userDefined, false) : [])],
    specialTokens: options.specialTokens ?? "ordinary",
    decode: sentencePieceDecode({
      unknownId,
      unknownText: settings.unknownText,
      dropsSpace: settings.dummyPrefix || settings.removeExtraSpaces,
      dropsAllSpaces: settings.removeExtraSpaces,
      spellsBytes: settings.byteFallback,
    }),
    ...(options.template && { postProcess: options.template }),
    bosId: settings.bosId,
    eosId: settings.eosId,
  });
}

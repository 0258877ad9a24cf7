import { checks, FormatError } from "@qkv/core";
import type { Piece } from "../models/model.js";
import { ProtobufReader } from "./protobuf-reader.js";

/** The content of a SentencePiece model file. */
export type SentencePieceModel = {
  /** By id. */
  readonly pieces: readonly Piece[];
  readonly settings: SentencePieceSettings;
};

export type SentencePieceSettings = {
  readonly modelType: "unigram" | "bpe" | "word" | "char";
  readonly byteFallback: boolean;
  /** `treat_whitespace_as_suffix`: puts the `▁` of a word after it instead of in front. */
  readonly treatWhitespaceAsSuffix: boolean;
  /** `add_dummy_prefix`: adds one space to a text. */
  readonly addDummyPrefix: boolean;
  /** `remove_extra_whitespaces`: strips spaces at the ends and collapses those in a row to one. */
  readonly removeExtraWhitespaces: boolean;
  /** `escape_whitespaces`: writes a space as `▁`. */
  readonly escapeWhitespaces: boolean;
  /** `precompiled_charsmap`: the compiled normalization map; empty for none. */
  readonly precompiledCharsmap: Uint8Array;
  /** `unk_surface`: the text of an unknown token when it is decoded. */
  readonly unknownSurface: string;
  readonly bosId: number | undefined;
  readonly eosId: number | undefined;
};

/**
 * Reads a SentencePiece model file, a protocol buffer.
 *
 * @throws {FormatError} If it is damaged.
 */
export function readSentencePieceModel(bytes: Uint8Array): SentencePieceModel {
  const context = { fn: "sentencePieceTokenizer", source: "model file" };
  const check = checks(context.fn, {
    fix: "give a .model file as SentencePiece writes it; this one is damaged or of another format.",
  });
  const damaged = (field: string, received: unknown, expected: string): never =>
    check.refuse({ argument: `${context.source}: ${field}`, received, expected }, FormatError);
  const pieces: { text: string; score: number; type: number }[] = [];
  let [kind, byteFallback, treatWhitespaceAsSuffix] = [1, false, false];
  let [bosId, eosId, unknownSurface] = [1, 2, " \u2047 "];
  let [addDummyPrefix, removeExtraWhitespaces, escapeWhitespaces] = [true, true, true];
  let precompiledCharsmap: Uint8Array = new Uint8Array();

  const file = new ProtobufReader(bytes, context);
  while (file.next("model")) {
    if (file.field === 1) {
      const name = `pieces[${pieces.length}]`;
      const entry = file.message(name);
      const piece = { text: "", score: 0, type: 1 };
      while (entry.next(name)) {
        if (entry.field === 1) piece.text = entry.text(`${name}.piece`);
        else if (entry.field === 2) piece.score = entry.float(`${name}.score`);
        else if (entry.field === 3) piece.type = entry.varint(`${name}.type`);
        else entry.skip(name);
      }
      if (!Number.isFinite(piece.score)) damaged(`${name}.score`, piece.score, "a finite number");
      pieces.push(piece);
    } else if (file.field === 2) {
      const spec = file.message("trainer_spec");
      while (spec.next("trainer_spec")) {
        if (spec.field === 3) kind = spec.varint("trainer_spec.model_type");
        else if (spec.field === 24)
          treatWhitespaceAsSuffix = spec.varint("trainer_spec.treat_whitespace_as_suffix") !== 0;
        else if (spec.field === 35) byteFallback = spec.varint("trainer_spec.byte_fallback") !== 0;
        else if (spec.field === 41) bosId = spec.varint("trainer_spec.bos_id");
        else if (spec.field === 42) eosId = spec.varint("trainer_spec.eos_id");
        else if (spec.field === 44) unknownSurface = spec.text("trainer_spec.unk_surface");
        else spec.skip("trainer_spec");
      }
    } else if (file.field === 3) {
      const spec = file.message("normalizer_spec");
      while (spec.next("normalizer_spec")) {
        if (spec.field === 2) precompiledCharsmap = spec.bytes("normalizer_spec.precompiled_charsmap");
        else if (spec.field === 3) addDummyPrefix = spec.varint("normalizer_spec.add_dummy_prefix") !== 0;
        else if (spec.field === 4)
          removeExtraWhitespaces = spec.varint("normalizer_spec.remove_extra_whitespaces") !== 0;
        else if (spec.field === 5)
          escapeWhitespaces = spec.varint("normalizer_spec.escape_whitespaces") !== 0;
        else spec.skip("normalizer_spec");
      }
    } else file.skip("model");
  }
  if (pieces.length === 0) damaged("pieces", 0, "1 or more");
  const kindName = kinds[kind];
  if (kindName === undefined)
    return check.refuse(
      {
        argument: `${context.source}: trainer_spec.model_type`,
        received: kind,
        expected: "1 (Unigram), 2 (BPE), 3 (words) or 4 (characters)",
        fix: `qkv does not implement the model type ${kind}. Take a tokenizer of one of these types.`,
      },
      FormatError,
    );
  // Ids are int32 in the file; -1 for "none" is read as a very large number.
  const tokenId = (id: number, type: number) =>
    id < pieces.length && pieces[id]!.type === type ? id : undefined;
  const settings: SentencePieceSettings = {
    modelType: kindName,
    byteFallback,
    treatWhitespaceAsSuffix,
    addDummyPrefix,
    removeExtraWhitespaces,
    escapeWhitespaces,
    precompiledCharsmap,
    unknownSurface,
    bosId: tokenId(bosId, 3),
    eosId: tokenId(eosId, 3),
  };
  return { pieces, settings };
}

/** By their numbers in the file. */
const kinds: Readonly<Partial<Record<number, SentencePieceSettings["modelType"]>>> = {
  1: "unigram",
  2: "bpe",
  3: "word",
  4: "char",
};

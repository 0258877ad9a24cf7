import { checks, FormatError } from "@qkv/core";
import type { Piece } from "../models/model.js";
import { template } from "../template.js";
import type { Tokenizer } from "../tokenizer.js";
import { JsonField } from "./json-field.js";
import { readSentencePieceModel } from "./sentencepiece-model.js";
import { composeSentencePiece } from "./sentencepiece.js";

/** Kinds of pieces in a SentencePiece model. */
const [normal, unknown, control, unused] = [1, 2, 3, 5];

/**
 * The tokenizer of Marian's translators: the SentencePiece model of the source language splits a text, and `vocab.json` numbers the
 * pieces of both languages, so that it reads what is written too. `</s>` follows a text; a token of a language in front of one
 * (`>>fra<<`) is a token of its own.
 *
 * @param source - The bytes of `source.spm`.
 * @param vocab - The bytes of `vocab.json`.
 * @throws {FormatError} If the vocabulary has no id for `<unk>` or `</s>`, or ids are not 0, 1, 2 and so on.
 */
export function marianTokenizer(source: Uint8Array, vocab: Uint8Array): Tokenizer {
  const check = checks("loadTokenizer", { source: "vocab.json" }, FormatError);
  const field = JsonField.parse(new TextDecoder().decode(vocab), {
    fn: "loadTokenizer",
    source: "vocab.json",
  });
  const ids = field.object() as Record<string, number>;
  const texts: string[] = [];
  for (const [text, id] of Object.entries(ids)) texts[id] = text;
  const isComplete = texts.length === Object.keys(ids).length && !texts.includes(undefined as never);
  if (!isComplete || !("<unk>" in ids) || !("</s>" in ids)) {
    check.refuse({
      argument: "vocab",
      received: `${Object.keys(ids).length} tokens`,
      expected: "an id from 0 on for each token, <unk> and </s> among them",
      fix: "give vocab.json as it came with source.spm.",
    });
  }
  const { pieces, settings } = readSentencePieceModel(source);
  const sourcePieces = new Map(pieces.map((piece) => [piece.text, piece]));
  const isSpecial = (text: string) => text === "</s>" || text === "<pad>" || /^>>.+<<$/.test(text);
  const allPieces = texts.map((text): Piece => {
    if (text === "<unk>") return { text, score: 0, type: unknown };
    if (isSpecial(text)) return { text, score: 0, type: control };
    // Pieces that exist only in the target language are decoded, but never used for encoding.
    const piece = sourcePieces.get(text);
    return piece?.type === normal ? piece : { text, score: 0, type: unused };
  });
  return composeSentencePiece(
    { pieces: allPieces, settings: { ...settings, bosId: undefined, eosId: ids["</s>"] } },
    { template: template(ids, "$A </s>", "$A $B </s>"), specialTokens: "allowed", prefixesParts: true },
  );
}

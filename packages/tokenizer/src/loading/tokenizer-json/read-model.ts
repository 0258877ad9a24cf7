import { bytesToUnicode } from "../../bytes-to-unicode.js";
import { byteBpe } from "../../models/byte-bpe.js";
import { characterBpe } from "../../models/character-bpe.js";
import type { MergePair } from "../../models/merge-list.js";
import type { Model } from "../../models/model.js";
import { unigram } from "../../models/unigram.js";
import { wordLevel } from "../../models/word-level.js";
import { wordPiece } from "../../models/word-piece.js";
import type { JsonField } from "../json-field.js";

/**
 * The third stage of a `tokenizer.json`: `model`.
 *
 * @param isByteLevel - The stage before maps bytes to Unicode characters (`ByteLevel`).
 */
export function readModel(field: JsonField, isByteLevel: boolean): Model {
  const type = field.get("type");
  const name = type.isMissing ? inferModelType(field) : type.string();
  switch (name) {
    case "BPE":
      return readBpe(field, isByteLevel);
    case "WordPiece": {
      const unknown = field.get("unk_token");
      const vocab = readVocab(field);
      const model = wordPiece({
        vocab,
        unknownId: Object.hasOwn(vocab, unknown.string("[UNK]"))
          ? vocab[unknown.string("[UNK]")]!
          : unknown.fail("a token of the vocabulary"),
        continuingSubwordPrefix: field.get("continuing_subword_prefix").string("##"),
        maxInputCharsPerWord: field.get("max_input_chars_per_word").count(100),
      });
      return model;
    }
    case "WordLevel": {
      const vocab = readVocab(field);
      const unknown = field.get("unk_token").string("[UNK]");
      return wordLevel({ vocab, unknownId: Object.hasOwn(vocab, unknown) ? vocab[unknown] : undefined });
    }
    case "Unigram": {
      const pieces = field
        .get("vocab")
        .list()
        .map((entry): [string, number] => {
          const [token, score] = entry.list();
          if (token === undefined || typeof score?.value !== "number")
            return entry.fail("a token and its score");
          return [token.string(), score.value];
        });
      const unknown = field.get("unk_id");
      const unknownId = unknown.isMissing ? undefined : unknown.count();
      if (unknownId !== undefined && unknownId >= pieces.length) unknown.fail(`an id below ${pieces.length}`);
      const byteFallback = field.get("byte_fallback").boolean(false);
      return unigram({ pieces, unknownId, byteFallback });
    }
    default:
      return type.unsupported("a model: BPE, WordPiece, WordLevel, Unigram");
  }
}

function readBpe(field: JsonField, isByteLevel: boolean): Model {
  const vocab = readVocab(field);
  const dropout = field.get("dropout");
  if (!dropout.isMissing && dropout.value !== 0) {
    dropout.fail("no dropout", "set it to null: dropout makes ids random, which is for training only.");
  }
  const merges = field
    .get("merges")
    .list()
    .map((merge) => merge.value as MergePair);
  const ignoreMerges = field.get("ignore_merges").boolean(false);
  const continuingSubwordPrefix = field.get("continuing_subword_prefix").string("");
  const endOfWordSuffix = field.get("end_of_word_suffix").string("");
  const byteFallback = field.get("byte_fallback").boolean(false);
  const plain = continuingSubwordPrefix === "" && endOfWordSuffix === "" && !byteFallback;
  if (isByteLevel && plain && bytesToUnicode.every((character) => Object.hasOwn(vocab, character))) {
    return byteBpe({ vocab, merges, ignoreMerges });
  }
  const unknown = field.get("unk_token");
  const unknownId = unknown.isMissing
    ? undefined
    : Object.hasOwn(vocab, unknown.string())
      ? vocab[unknown.string()]
      : undefined;
  const model = characterBpe({
    vocab,
    merges,
    ignoreMerges,
    continuingSubwordPrefix,
    endOfWordSuffix,
    byteFallback,
    unknownId,
    fuseUnknown: field.get("fuse_unk").boolean(false),
    dropUnknown: true, // as Hugging Face's library does
  });
  return model;
}

function readVocab(field: JsonField): Record<string, number> {
  const vocab = field.get("vocab");
  const entries = vocab.object();
  // Numbers are checked where the vocabulary is put in order, token by token.
  return Object.keys(entries).length > 0
    ? (entries as Record<string, number>)
    : vocab.fail("one token or more");
}

/** The model of old files, which do not name it. */
function inferModelType(field: JsonField): string {
  if (!field.get("merges").isMissing) return "BPE";
  if (Array.isArray(field.get("vocab").value)) return "Unigram";
  return field.get("continuing_subword_prefix").isMissing ? "WordLevel" : "WordPiece";
}

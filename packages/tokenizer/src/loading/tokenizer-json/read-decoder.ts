import { knownNames } from "@qkv/core";
import { byteLevelDecoder } from "../../decoders/byte-level-decoder.js";
import type { Decoder } from "../../decoders/decoder.js";
import {
  byteFallbackStep,
  byteLevelStep,
  ctcStep,
  decodeSteps,
  fuseStep,
  metaspaceStep,
  replacePatternStep,
  replaceStep,
  joinWithSpacesStep,
  stripStep,
  wordSuffixStep,
  wordPieceStep,
  type DecodeStep,
} from "../../decoders/decode-steps.js";
import { compilePattern } from "../../regex/compile-pattern.js";
import type { JsonField } from "../json-field.js";
import { readPrependScheme } from "./read-prepend-scheme.js";

const decoderNames = [
  "Sequence",
  "ByteLevel",
  "ByteFallback",
  "Fuse",
  "WordPiece",
  "BPEDecoder",
  "CTC",
  "Metaspace",
  "Strip",
  "Replace",
] as const;

/** The fifth stage of a `tokenizer.json`: `decoder`. Without one tokens are joined by spaces. */
export function readDecoder(field: JsonField): Decoder {
  if (!field.isMissing && field.get("type").value === "ByteLevel")
    return { ...byteLevelDecoder, json: field.value };
  return decodeSteps(field.isMissing ? [joinWithSpacesStep] : readSteps(field, { fused: false }));
}

/** @param state - `fused`: a `Fuse` came before, which joins the tokens to one text. */
function readSteps(field: JsonField, state: { fused: boolean }): DecodeStep[] {
  const type = field.get("type");
  switch (type.string()) {
    case "Sequence":
      return field
        .get("decoders")
        .list()
        .flatMap((each) => readSteps(each, state));
    case "ByteLevel":
      return [byteLevelStep];
    case "ByteFallback":
      return [byteFallbackStep];
    case "Fuse":
      state.fused = true;
      return [fuseStep];
    case "WordPiece":
      return [wordPieceStep(field.get("prefix").string("##"), field.get("cleanup").boolean(true))];
    case "BPEDecoder":
      return [wordSuffixStep(field.get("suffix").string("</w>"))];
    case "CTC":
      return [
        ctcStep(
          field.get("pad_token").string("<pad>"),
          field.get("word_delimiter_token").string("|"),
          field.get("cleanup").boolean(true),
        ),
      ];
    case "Metaspace": {
      return [metaspaceStep(field.get("replacement").string("▁"), readPrependScheme(field))];
    }
    case "Strip": {
      const content = field.get("content").string();
      return [stripStep(content, field.get("start").count(0), field.get("stop").count(0), state.fused)];
    }
    case "Replace": {
      const content = field.get("content").string();
      const regex = field.get("pattern").get("Regex");
      if (regex.isMissing) return [replaceStep(field.get("pattern").get("String").string(), content)];
      return [
        replacePatternStep(
          compilePattern(regex.string(), { field: regex.path, fn: "tokenizerFromJson" }),
          content,
          field.value,
        ),
      ];
    }
    default:
      return type.unsupported(
        `a decoder: ${knownNames(type.value, decoderNames, "the reference of `tokenizerFromJson`")}`,
      );
  }
}

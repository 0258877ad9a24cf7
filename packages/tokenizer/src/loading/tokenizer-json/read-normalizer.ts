import { bertRewrites } from "../../rewriting/bert-rewrite.js";
import { byteLettersRewrite } from "../../rewriting/byte-letters-rewrite.js";
import { graphemeRewrite, readCharacterMap } from "../../rewriting/character-map.js";
import { lowercase } from "../../rewriting/lowercase.js";
import { nmt } from "../../rewriting/nmt.js";
import { prepend } from "../../rewriting/prepend.js";
import { replacePattern, replaceText } from "../../rewriting/replace.js";
import type { Rewrite } from "../../rewriting/rewrite.js";
import { stripAccents } from "../../rewriting/strip-accents.js";
import { stripEnds } from "../../rewriting/strip-ends.js";
import { nfc, nfd, nfkc, nfkd } from "../../rewriting/unicode-forms.js";
import type { JsonField } from "../json-field.js";

/** The first stage of a `tokenizer.json`: `normalizer`. */
export function readNormalizer(field: JsonField): readonly Rewrite[] {
  if (field.isMissing) return [];
  const type = field.get("type");
  const reader = Object.hasOwn(readers, type.string()) ? readers[type.string()] : undefined;
  return reader ? reader(field) : type.fail(`a normalizer: ${Object.keys(readers).join(", ")}`);
}

const readers: Readonly<Record<string, (field: JsonField) => readonly Rewrite[]>> = {
  Sequence: (field) => field.get("normalizers").list().flatMap(readNormalizer),
  NFC: () => [nfc],
  NFD: () => [nfd],
  NFKC: () => [nfkc],
  NFKD: () => [nfkd],
  Lowercase: () => [lowercase],
  StripAccents: () => [stripAccents],
  Nmt: () => [nmt],
  ByteLevel: () => [byteLettersRewrite],
  Prepend: (field) => [prepend(field.get("prepend").string())],
  Strip: (field) => [
    stripEnds({ left: field.get("strip_left").boolean(true), right: field.get("strip_right").boolean(true) }),
  ],
  Replace(field) {
    const content = field.get("content").string();
    const pattern = field.get("pattern");
    const regex = pattern.get("Regex");
    if (!regex.isMissing) return [replacePattern(regex.string(), content, regex.path)];
    return [replaceText(pattern.get("String").string(), content)];
  },
  BertNormalizer: (field) =>
    bertRewrites({
      cleanText: field.get("clean_text").boolean(true),
      handleChinese: field.get("handle_chinese_chars").boolean(true),
      stripAccents: field.get("strip_accents").isMissing
        ? undefined
        : field.get("strip_accents").boolean(true),
      lowercase: field.get("lowercase").boolean(true),
    }),
  Precompiled(field) {
    const map = field.get("precompiled_charsmap");
    if (map.isMissing || map.string() === "") return [];
    let bytes: Uint8Array;
    try {
      bytes = Uint8Array.from(atob(map.string()), (character) => character.charCodeAt(0));
    } catch {
      return map.fail("a character map in base64");
    }
    const context = { fn: "tokenizerFromJson", source: "tokenizer.json", field: map.path };
    return [graphemeRewrite(readCharacterMap(bytes, context), field.value)];
  },
};

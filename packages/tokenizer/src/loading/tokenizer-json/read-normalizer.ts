import { knownNames } from "@qkv/core";
import { bertNormalizers } from "../../normalizers/bert-normalizer.js";
import { byteLevelNormalizer } from "../../normalizers/byte-level-normalizer.js";
import { precompiledNormalizer, readCharsmap } from "../../normalizers/charsmap.js";
import { lowercase } from "../../normalizers/lowercase.js";
import { nmt } from "../../normalizers/nmt.js";
import { prepend } from "../../normalizers/prepend.js";
import { replacePattern, replaceText } from "../../normalizers/replace.js";
import type { Normalizer } from "../../normalizers/normalizer.js";
import { stripAccents } from "../../normalizers/strip-accents.js";
import { stripEnds } from "../../normalizers/strip-ends.js";
import { nfc, nfd, nfkc, nfkd } from "../../normalizers/unicode-forms.js";
import type { JsonField } from "../json-field.js";

/** The first stage of a `tokenizer.json`: `normalizer`. */
export function readNormalizer(field: JsonField): readonly Normalizer[] {
  if (field.isMissing) return [];
  const type = field.get("type");
  const reader = Object.hasOwn(readers, type.string()) ? readers[type.string()] : undefined;
  return reader
    ? reader(field)
    : type.unsupported(
        `a normalizer: ${knownNames(type.value, Object.keys(readers), "the reference of `tokenizerFromJson`")}`,
      );
}

const readers: Readonly<Record<string, (field: JsonField) => readonly Normalizer[]>> = {
  Sequence: (field) => field.get("normalizers").list().flatMap(readNormalizer),
  NFC: () => [nfc],
  NFD: () => [nfd],
  NFKC: () => [nfkc],
  NFKD: () => [nfkd],
  Lowercase: () => [lowercase],
  StripAccents: () => [stripAccents],
  Nmt: () => [nmt],
  ByteLevel: () => [byteLevelNormalizer],
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
    bertNormalizers({
      cleanText: field.get("clean_text").boolean(true),
      handleChineseChars: field.get("handle_chinese_chars").boolean(true),
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
    return [precompiledNormalizer(readCharsmap(bytes, context), field.value)];
  },
};

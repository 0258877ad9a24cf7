import { checks } from "@qkv/core";
import { generalCategory, categoryBits } from "../characters/general-category.js";
import { lowercase } from "./lowercase.js";
import { newerCharacters } from "../characters/newer-characters.js";
import { characterNormalizer, type Normalizer } from "./normalizer.js";
import { nfd } from "./unicode-forms.js";

export type BertNormalizerOptions = {
  /** Drops control characters and writes white space as spaces. Default: true. */
  cleanText?: boolean;
  /** Puts spaces around each CJK ideograph. Default: true. */
  handleChineseChars?: boolean;
  /** Strips accents. Default: as `lowercase`. */
  stripAccents?: boolean | undefined;
  /** Lowercases letters. Default: true. */
  lowercase?: boolean;
};

export const bertNormalizerOptions = [
  "cleanText",
  "handleChineseChars",
  "stripAccents",
  "lowercase",
] as const;

/**
 * BERT's normalizers.
 *
 * @see google-research/bert, `BasicTokenizer` in tokenization.py
 */
export function bertNormalizers(options: BertNormalizerOptions = {}): readonly Normalizer[] {
  const check = checks("bertNormalizers");
  check.options(options, bertNormalizerOptions);
  const { cleanText = true, handleChineseChars = true, lowercase: isLowercase = true } = options;
  const strip = options.stripAccents ?? isLowercase;
  check.type({ cleanText, handleChineseChars, lowercase: isLowercase, stripAccents: strip }, "boolean");
  const json = {
    type: "BertNormalizer",
    clean_text: cleanText,
    handle_chinese_chars: handleChineseChars,
    strip_accents: options.stripAccents ?? null,
    lowercase: isLowercase,
  };
  const steps = [
    ...(cleanText ? [clean] : []),
    ...(handleChineseChars ? [spaceChinese] : []),
    ...(strip ? [nfd, stripMarks] : []),
    ...(isLowercase ? [lowercase] : []),
  ];
  // One entry of a file stands for all steps: the first carries its JSON, the others carry null.
  return steps.map((step, i) => ({ ...step, json: i === 0 ? json : null }));
}

const printableAscii = /^[\x20-\x7E]*$/;

const clean: Normalizer = /* @__PURE__ */ characterNormalizer("clean", cleaned, {
  apply: (text) => (printableAscii.test(text) ? text : Array.from(text, cleaned).join("")),
});

const spaceChinese: Normalizer = /* @__PURE__ */ characterNormalizer("space Chinese", spaced, {
  apply: (text) => (printableAscii.test(text) ? text : Array.from(text, spaced).join("")),
});

const stripMarks: Normalizer = /* @__PURE__ */ characterNormalizer("strip accents", unmarked, {
  apply: (text) => (printableAscii.test(text) ? text : Array.from(text, unmarked).join("")),
});

/** `\p{Mn}`, with two characters that were such marks when BERT's tables were made. */
const mark = /[\p{Mn}\u1734\u{1171E}]/u;

function unmarked(character: string): string {
  return mark.test(character) && !newerCharacters.bertMarks.test(character) ? "" : character;
}

function cleaned(character: string): string {
  const code = character.codePointAt(0)!;
  if (categoryBits(code) === generalCategory.space)
    return code === 0x85 || code === 0x0b || code === 0x0c ? "" : " ";
  const isKept = code !== 0xfffd && !dropped.test(character);
  return isKept || newerCharacters.bertFormats.test(character) ? character : "";
}

const dropped = /[\p{Cc}\p{Cf}\p{Co}]/u;

function spaced(character: string): string {
  return chinese.test(character) ? ` ${character} ` : character;
}

/** CJK ideographs, as Hugging Face's library lists their blocks. */
const chinese =
  /[\u4E00-\u9FFF\u3400-\u4DBF\u{20000}-\u{2A6DF}\u{2A700}-\u{2B73F}\u{2B740}-\u{2B81F}\u{2B920}-\u{2CEAF}\uF900-\uFAFF\u{2F800}-\u{2FA1F}]/u;

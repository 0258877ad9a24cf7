import { checks } from "@qkv/core";
import { kind, kindOf } from "../characters/character-kind.js";
import { lowercase } from "./lowercase.js";
import { newerCharacters } from "../characters/newer-characters.js";
import { byCharacter, type Rewrite } from "./rewrite.js";
import { nfd } from "./unicode-forms.js";

export type BertRewriteOptions = {
  /** Whether control characters are dropped and white space becomes spaces. Default: true. */
  cleanText?: boolean;
  /** Whether a space comes around each Chinese character. Default: true. */
  handleChinese?: boolean;
  /** Whether letters lose their accents. Default: as `lowercase`. */
  stripAccents?: boolean | undefined;
  /** Whether letters become small. Default: true. */
  lowercase?: boolean;
};

export const bertRewriteOptions = ["cleanText", "handleChinese", "stripAccents", "lowercase"] as const;

/**
 * What BERT does to a text first.
 *
 * @see google-research/bert, `BasicTokenizer` in tokenization.py
 */
export function bertRewrites(options: BertRewriteOptions = {}): readonly Rewrite[] {
  checks("bertRewrites").options(options, bertRewriteOptions);
  const { cleanText = true, handleChinese = true, lowercase: small = true } = options;
  const strip = options.stripAccents ?? small;
  const json = {
    type: "BertNormalizer",
    clean_text: cleanText,
    handle_chinese_chars: handleChinese,
    strip_accents: options.stripAccents ?? null,
    lowercase: small,
  };
  const steps = [
    ...(cleanText ? [clean] : []),
    ...(handleChinese ? [spaceChinese] : []),
    ...(strip ? [nfd, stripMarks] : []),
    ...(small ? [lowercase] : []),
  ];
  // One entry of a file stands for all steps: the first carries it, the others say nothing.
  return steps.map((step, i) => ({ ...step, json: i === 0 ? json : null }));
}

const simple = /^[\x20-\x7E]*$/;

const clean: Rewrite = /* @__PURE__ */ byCharacter("clean", cleaned, {
  apply: (text) => (simple.test(text) ? text : Array.from(text, cleaned).join("")),
});

const spaceChinese: Rewrite = /* @__PURE__ */ byCharacter("space Chinese", spaced, {
  apply: (text) => (simple.test(text) ? text : Array.from(text, spaced).join("")),
});

const stripMarks: Rewrite = /* @__PURE__ */ byCharacter("strip accents", unmarked, {
  apply: (text) => (simple.test(text) ? text : Array.from(text, unmarked).join("")),
});

/** `\p{Mn}`, with two characters that were such marks when BERT's tables were made. */
const mark = /[\p{Mn}\u1734\u{1171E}]/u;

function unmarked(character: string): string {
  return mark.test(character) && !newerCharacters.bertMarks.test(character) ? "" : character;
}

function cleaned(character: string): string {
  const code = character.codePointAt(0)!;
  if (kindOf(code) === kind.space) return code === 0x85 || code === 0x0b || code === 0x0c ? "" : " ";
  const kept = code !== 0xfffd && !dropped.test(character);
  return kept || newerCharacters.bertFormats.test(character) ? character : "";
}

const dropped = /[\p{Cc}\p{Cf}\p{Co}]/u;

function spaced(character: string): string {
  return chinese.test(character) ? ` ${character} ` : character;
}

/** CJK ideographs, as Hugging Face's library lists their blocks. */
const chinese =
  /[\u4E00-\u9FFF\u3400-\u4DBF\u{20000}-\u{2A6DF}\u{2A700}-\u{2B73F}\u{2B740}-\u{2B81F}\u{2B920}-\u{2CEAF}\uF900-\uFAFF\u{2F800}-\u{2FA1F}]/u;

import { characterSet } from "./character-set.js";

/** What Unicode says of a character, as bits, so that a set of kinds is their sum. */
export const kind = {
  upper: 1, // Lu
  lower: 2, // Ll
  title: 4, // Lt
  modifier: 8, // Lm
  otherLetter: 16, // Lo
  letter: 31, // L
  mark: 32, // M
  decimal: 64, // Nd
  otherNumber: 128, // Nl, No
  number: 192, // N
  punctuation: 256, // P
  symbol: 512, // S
  space: 1024, // White_Space, which is not JavaScript's \s: U+0085 is in it, U+FEFF is not
  other: 2048, // C: control, format, private, unassigned
} as const;

/** The bits of a character. Tables are filled 256 characters at a time, when the first of them is asked for. */
export function kindOf(code: number): number {
  const page = pages[code >> 8] ?? fillPage(code >> 8);
  return page[code & 255]!;
}

/** Where the run of characters of `kinds` that starts at `from` ends; `from` itself where there is none. */
export function runEnd(text: string, from: number, kinds: number): number {
  let at = from;
  while (at < text.length) {
    const unit = text.charCodeAt(at);
    const code = (unit & 0xfc00) === 0xd800 ? text.codePointAt(at)! : unit;
    const page = pages[code >> 8] ?? fillPage(code >> 8);
    if ((page[code & 255]! & kinds) === 0) break;
    at += code > 0xffff ? 2 : 1;
  }
  return at;
}

const pages: (Uint16Array | undefined)[] = [];

const tests: readonly (readonly [RegExp, number])[] = /* @__PURE__ */ (() => [
  [/\p{White_Space}/u, kind.space],
  [/\p{Ll}/u, kind.lower],
  [/\p{Lo}/u, kind.otherLetter],
  [/\p{Lu}/u, kind.upper],
  [/\p{Lm}/u, kind.modifier],
  [/\p{Lt}/u, kind.title],
  [/\p{M}/u, kind.mark],
  [/\p{Nd}/u, kind.decimal],
  [/\p{N}/u, kind.otherNumber],
  [/\p{P}/u, kind.punctuation],
  [/\p{S}/u, kind.symbol],
])();

function fillPage(page: number): Uint16Array {
  const kinds = Uint16Array.from({ length: 256 }, (_, low) => {
    const character = asInUnicode16(String.fromCodePoint(page * 256 + low));
    return tests.find(([test]) => test.test(character))?.[1] ?? kind.other;
  });
  pages[page] = kinds;
  return kinds;
}

/**
 * A text for matching, as the libraries see it whose ids we give: Oniguruma in `tokenizers` 0.23.2 and Rust's `regex` in
 * tiktoken 1.0.22 have the tables of Unicode 16, an engine may have newer ones. What came after is unassigned, U+0295 is
 * still a small letter, and places stay where they are.
 */
export function asInUnicode16(text: string): string {
  if (!unicode17.test(text)) return text;
  const older = (character: string) =>
    character === "\u0295" ? "\u0293" : character.length === 1 ? "\u0378" : "\u{378F0}";
  return text.replace(new RegExp(unicode17, "gu"), older);
}

const unicode17 = /* @__PURE__ */ characterSet(
  "0295 088f 0c5c 0cdc 1acf-1add 1ae0-1aeb 20c1 2b96 a7ce a7cf a7d2 a7d4 a7f1 fbc3-fbd2 fd90 fd91 fdc8-fdce " +
    "10940-10959 10ec5-10ec7 10ed0-10ed8 10efa 10efb 11b60-11b67 11db0-11ddb 11de0-11de9 16ea0-16eb8 " +
    "16ebb-16ed3 16ff2-16ff6 187f8-187ff 18d09-18d1e 18d80-18df2 1ccfa-1ccfc 1ceba-1ced0 1cee0-1cef0 " +
    "1e6c0-1e6ff 1f6d8 1f777-1f77a 1f8d0-1f8d8 1fa54-1fa57 1fa8a 1fa8e 1fac8 1facd 1faea 1faef 1fbfa " +
    "2b73a-2b73f 2cea2-2cead 323b0-33479",
);

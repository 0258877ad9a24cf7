import { unicode17 } from "./unicode-17.js";

/** Unicode general categories as bits: a set of categories is their sum. */
export const generalCategory = {
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

/** The category bits of a character. Tables are filled 256 characters at a time, when the first of them is asked for. */
export function categoryBits(code: number): number {
  const page = pages[code >> 8] ?? fillPage(code >> 8);
  return page[code & 255]!;
}

/** The end of the run of characters of `categories` that starts at `from`; `from` itself for an empty run. */
export function runEnd(text: string, from: number, categories: number): number {
  let at = from;
  while (at < text.length) {
    const unit = text.charCodeAt(at);
    const code = (unit & 0xfc00) === 0xd800 ? text.codePointAt(at)! : unit;
    const page = pages[code >> 8] ?? fillPage(code >> 8);
    if ((page[code & 255]! & categories) === 0) break;
    at += code > 0xffff ? 2 : 1;
  }
  return at;
}

const pages: (Uint16Array | undefined)[] = [];

const tests: readonly (readonly [RegExp, number])[] = /* @__PURE__ */ (() => [
  [/\p{White_Space}/u, generalCategory.space],
  [/\p{Ll}/u, generalCategory.lower],
  [/\p{Lo}/u, generalCategory.otherLetter],
  [/\p{Lu}/u, generalCategory.upper],
  [/\p{Lm}/u, generalCategory.modifier],
  [/\p{Lt}/u, generalCategory.title],
  [/\p{M}/u, generalCategory.mark],
  [/\p{Nd}/u, generalCategory.decimal],
  [/\p{N}/u, generalCategory.otherNumber],
  [/\p{P}/u, generalCategory.punctuation],
  [/\p{S}/u, generalCategory.symbol],
])();

function fillPage(page: number): Uint16Array {
  const categories = Uint16Array.from({ length: 256 }, (_, low) => {
    const character = String.fromCodePoint(page * 256 + low);
    if (character === "\u0295") return generalCategory.lower; // since Unicode 17 a letter without case
    if (unicode17.test(character)) return generalCategory.other;
    return tests.find(([test]) => test.test(character))?.[1] ?? generalCategory.other;
  });
  pages[page] = categories;
  return categories;
}

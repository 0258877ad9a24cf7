import { unicode17 } from "./unicode-17.js";

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
    const character = String.fromCodePoint(page * 256 + low);
    if (character === "\u0295") return kind.lower; // since Unicode 17 a letter without case
    if (unicode17.test(character)) return kind.other;
    return tests.find(([test]) => test.test(character))?.[1] ?? kind.other;
  });
  pages[page] = kinds;
  return kinds;
}

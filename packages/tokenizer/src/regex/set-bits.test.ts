import { expect, test } from "vitest";
import { mayOverlap, setBits } from "./set-bits.js";

const everything = Array.from({ length: 0x110000 }, (_, code) => String.fromCodePoint(code));
const charactersIn = (source: string) => {
  const test = new RegExp(`^${source}$`, "u");
  return everything.filter((character) => test.test(character));
};

test("the bits of a set include all its characters, and no others if the set is a union of categories", () => {
  const categories =
    "Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Cs Co Cn";
  const perCategory = categories.split(" ").map((name) => `[^\\0-\\u{ff}\\P{${name}}]`);
  const [outside] = [perCategory.map((source) => setBits(source.replace("\\0", "\\u{0}")))];
  expect(outside).toHaveLength(30);
  const characters = categories.split(" ").map((name) => charactersIn(`\\p{${name}}`));
  for (const source of [
    "\\p{White_Space}",
    "\\P{White_Space}",
    "\\p{Alphabetic}",
    "\\p{Uppercase}",
    "\\p{Lowercase}",
    "[^\\p{White_Space}\\p{L}\\p{N}]",
    "[^\\p{Alphabetic}]",
    "[^\\p{Lowercase}\\u{4e00}-\\u{9fa5}]",
    "\\p{Script=Greek}",
    "[^\\p{Script=Greek}]",
    "\\u{17f}",
    "[s\\u{17f}]",
    "[^\\n]",
    "[^]",
  ]) {
    const bits = setBits(source);
    const has = new RegExp(source, "u");
    characters.forEach((ofCategory, i) => {
      const bit = 256 + i;
      const expected = ofCategory.some((one) => one.codePointAt(0)! > 255 && has.test(one));
      const found = ((bits[bit >> 5]! >> (bit & 31)) & 1) === 1;
      if (expected) expect(found, `${source} has characters of ${categories.split(" ")[i]}`).toBe(true);
    });
  }
});

test.each([
  ["a", "b", false],
  ["a", "[a-c]", true],
  ["\\p{L}", "\\p{N}", false],
  ["\\p{L}", "\\p{Lu}", true],
  ["\\p{L}", "\\P{L}", false],
  ["[^\\p{White_Space}\\p{L}]", "\\p{White_Space}", false],
  ["\\p{Script=Han}", "\\p{N}", true], // 〇 is one: not looked up, so not excluded
  ["\\u{905}", "\\u{905}", true],
  ["[\\p{Lu}\\p{Lo}]", "[\\p{Ll}\\p{Lo}]", true],
])("mayOverlap of %s and %s is %s", (a, b, expected) => {
  expect(mayOverlap(setBits(a), setBits(b))).toBe(expected);
});

import { checkCost } from "../regex/check-cost.js";
import { parsePattern } from "../regex/parse-pattern.js";
import { toJavaScript } from "../regex/to-javascript.js";
import { defineRewrite, type Rewrite } from "./rewrite.js";

/** Writes `content` for each `found` in the text. */
export function replaceText(found: string, content: string): Rewrite {
  return defineRewrite(
    `replace ${JSON.stringify(found)}`,
    function* (text) {
      if (found === "") return;
      for (let at = text.indexOf(found); at >= 0; at = text.indexOf(found, at + found.length)) {
        yield [at, at + found.length, content];
      }
    },
    {
      apply: (text) => (found === "" ? text : text.replaceAll(found, () => content)),
      json: { type: "Replace", pattern: { String: found }, content },
    },
  );
}

/**
 * Writes `content` for what a pattern matches; the pattern as in {@link patternSplit}.
 *
 * @throws {FormatError} If it is no pattern, or one that could take exponential or cubic time.
 */
export function replacePattern(pattern: string, content: string, field = "pattern"): Rewrite {
  const tree = parsePattern(pattern, field, "oniguruma");
  checkCost(tree, pattern, field);
  const regex = new RegExp(toJavaScript(tree), "gu");
  return defineRewrite(
    `replace ${pattern}`,
    function* (text) {
      for (const { index, 0: match } of text.matchAll(regex)) yield [index, index + match.length, content];
    },
    {
      apply: (text) => text.replace(regex, () => content),
      json: { type: "Replace", pattern: { Regex: pattern }, content },
    },
  );
}

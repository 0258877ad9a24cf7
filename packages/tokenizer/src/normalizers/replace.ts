import { checks } from "@qkv/core";
import { compilePattern, replaceMatches } from "../regex/compile-pattern.js";
import { defineNormalizer, type Normalizer } from "./normalizer.js";

/** Replaces each occurrence of `found` in the text by `content`. An empty `found` leaves the text as it is. */
export function replaceText(found: string, content: string): Normalizer {
  checks("replaceText").type({ found, content }, "string");
  return defineNormalizer(
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
 * Replaces each match of a regular expression by `content`.
 *
 * @param pattern - In the syntax of {@link patternSplit}.
 * @param field - Name of the pattern in errors. Default: "pattern".
 * @throws {FormatError} If the pattern is not valid, or is too large.
 */
export function replacePattern(pattern: string, content: string, field = "pattern"): Normalizer {
  checks("replacePattern").type({ pattern, content }, "string");
  const compiled = compilePattern(pattern, { field, fn: "replacePattern" });
  return defineNormalizer(
    `replace ${pattern}`,
    function* (text) {
      const spans = compiled.matches(text);
      for (let i = 0; i < spans.length; i += 2) yield [spans[i]!, spans[i + 1]!, content];
    },
    {
      apply: (text) => replaceMatches(compiled, text, content),
      json: { type: "Replace", pattern: { Regex: pattern }, content },
    },
  );
}

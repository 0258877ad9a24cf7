import { checks } from "@qkv/core";
import { defineNormalizer, type Edit, type Normalizer } from "./normalizer.js";

/** Drops white space at the text's start, at its end, or both. */
export function stripEnds(options: { left?: boolean; right?: boolean } = {}): Normalizer {
  const check = checks("stripEnds");
  const { left = true, right = true } = check.options(options, ["left", "right"]);
  check.type({ left, right }, "boolean");
  return defineNormalizer(
    "strip ends",
    (text) => {
      const start = left ? (/^\p{White_Space}+/u.exec(text)?.[0].length ?? 0) : 0;
      let end = text.length;
      while (right && end > start && /\p{White_Space}/u.test(text.charAt(end - 1))) end -= 1;
      const edits: Edit[] = [
        [0, start, ""],
        [end, text.length, ""],
      ];
      return edits.filter(([from, to]) => from < to);
    },
    { json: { type: "Strip", strip_left: left, strip_right: right } },
  );
}

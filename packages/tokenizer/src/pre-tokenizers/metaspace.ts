import { checks } from "@qkv/core";
import { defineNormalizer, type Edit, type Normalizer } from "../normalizers/normalizer.js";
import { textSplit } from "./pattern-split.js";
import type { Split } from "./split.js";

export type MetaspaceOptions = {
  /** Replacement of a space. Default: `▁`. */
  replacement?: string;
  /** Prepends one more: to every pre-token, to the text's first, or never (`prepend_scheme`). Default: `"always"`. */
  prepend?: "always" | "first" | "never";
  /** Splits the text before each. Default: true. */
  split?: boolean;
};

/** SentencePiece's spaces: each becomes `▁`, one more stands in front, and words begin with it. */
export function metaspace(options: MetaspaceOptions = {}): readonly (Normalizer | Split)[] {
  const check = checks("metaspace");
  const names = ["replacement", "prepend", "split"] as const;
  const { replacement = "▁", prepend = "always", split = true } = check.options(options, names);
  check.type({ replacement }, "string");
  check.type({ split }, "boolean");
  check.oneOf({ prepend }, ["always", "first", "never"]);
  const json = { type: "Metaspace", replacement, prepend_scheme: prepend, split };
  const normalizer = defineNormalizer(
    "metaspace",
    function* (text, first) {
      const prepends = prepend === "always" || (prepend === "first" && first);
      if (prepends && text !== "" && !text.startsWith(replacement) && !text.startsWith(" ")) {
        yield [0, 0, replacement] satisfies Edit;
      }
      for (let at = text.indexOf(" "); at >= 0; at = text.indexOf(" ", at + 1)) {
        yield [at, at + 1, replacement] satisfies Edit;
      }
    },
    { json },
  );
  // One entry of a file stands for both steps: the first carries its JSON, the second carries null.
  return split
    ? [normalizer, { ...textSplit(replacement, { behavior: "mergedWithNext" }), json: null }]
    : [normalizer];
}

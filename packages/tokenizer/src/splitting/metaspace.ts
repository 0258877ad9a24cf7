import { checks } from "@qkv/core";
import { defineRewrite, type Edit, type Rewrite } from "../rewriting/rewrite.js";
import { textSplit } from "./pattern-split.js";
import type { Split } from "./split.js";

export type MetaspaceOptions = {
  /** What stands for a space. Default: `▁`. */
  replacement?: string;
  /** Where one more comes in front: of every piece, of the text's first, or nowhere. Default: `"always"`. */
  prepend?: "always" | "first" | "never";
  /** Whether text is cut in front of each. Default: true. */
  split?: boolean;
};

/** SentencePiece's spaces: each becomes `▁`, one more stands in front, and words begin with it. */
export function metaspace(options: MetaspaceOptions = {}): readonly (Rewrite | Split)[] {
  const check = checks("metaspace");
  const names = ["replacement", "prepend", "split"] as const;
  const { replacement = "▁", prepend = "always", split = true } = check.options(options, names);
  check.type({ replacement }, "string");
  check.oneOf({ prepend }, ["always", "first", "never"]);
  const json = { type: "Metaspace", replacement, prepend_scheme: prepend, split };
  const rewrite = defineRewrite(
    "metaspace",
    function* (text, first) {
      const wanted = prepend === "always" || (prepend === "first" && first);
      if (wanted && text !== "" && !text.startsWith(replacement) && !text.startsWith(" ")) {
        yield [0, 0, replacement] satisfies Edit;
      }
      for (let at = text.indexOf(" "); at >= 0; at = text.indexOf(" ", at + 1)) {
        yield [at, at + 1, replacement] satisfies Edit;
      }
    },
    { json },
  );
  // One entry of a file stands for both steps: the first carries it, the second says nothing.
  return split
    ? [rewrite, { ...textSplit(replacement, { behavior: "mergedWithNext" }), json: null }]
    : [rewrite];
}

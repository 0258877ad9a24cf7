import { byteLettersRewrite } from "../../rewriting/byte-letters-rewrite.js";
import { defineRewrite, type Rewrite } from "../../rewriting/rewrite.js";
import { gpt2Split } from "../../splitting/gpt2-split.js";
import { splitOfPattern } from "../../splitting/known-splits.js";
import { metaspace } from "../../splitting/metaspace.js";
import { patternSplit, textSplit, type MatchBehavior } from "../../splitting/pattern-split.js";
import {
  bertSplit,
  digitsSplit,
  fixedLengthSplit,
  punctuationSplit,
  whitespaceSplit,
} from "../../splitting/simple-splits.js";
import type { Split } from "../../splitting/split.js";
import type { JsonField } from "../json-field.js";

type Step = Split | Rewrite;

/** The second stage of a `tokenizer.json`: `pre_tokenizer`. Byte letters, where it asks for them, are its last step. */
export function readPreTokenizer(field: JsonField): readonly Step[] {
  if (field.isMissing) return [];
  const type = field.get("type");
  const reader = Object.hasOwn(readers, type.string()) ? readers[type.string()] : undefined;
  const steps = reader ? reader(field) : type.fail(`a pre-tokenizer: ${Object.keys(readers).join(", ")}`);
  return type.value === "Sequence" ? steps : carryJson(steps, field.value);
}

const readers: Readonly<Record<string, (field: JsonField) => readonly Step[]>> = {
  Sequence: (field) => field.get("pretokenizers").list().flatMap(readPreTokenizer),
  BertPreTokenizer: () => [bertSplit],
  WhitespaceSplit: () => [whitespaceSplit],
  Whitespace: () => [patternSplit("\\w+|[^\\w\\s]+", { behavior: "removed", invert: true })],
  Digits: (field) => [digitsSplit({ individual: field.get("individual_digits").boolean(false) })],
  Punctuation: (field) => [punctuationSplit(behaviorOf(field.get("behavior")))],
  FixedLength: (field) => [fixedLengthSplit(Math.max(1, field.get("length").count(5)))],
  CharDelimiterSplit: (field) => [textSplit(field.get("delimiter").string(), { behavior: "removed" })],
  ByteLevel: (field) => [
    ...(field.get("add_prefix_space").boolean(true) ? [spaceInFront] : []),
    ...(field.get("use_regex").boolean(true) ? [gpt2Split] : []),
    byteLettersRewrite,
  ],
  Metaspace(field) {
    const scheme = field.get("prepend_scheme");
    const name = scheme.string(field.get("add_prefix_space").boolean(true) ? "always" : "never");
    return metaspace({
      replacement: field.get("replacement").string("▁"),
      prepend:
        name === "always" || name === "first" || name === "never"
          ? name
          : scheme.fail("always, first or never"),
      split: field.get("split").boolean(true),
    });
  },
  Split(field) {
    const behavior = behaviorOf(field.get("behavior"));
    const invert = field.get("invert").boolean(false);
    const regex = field.get("pattern").get("Regex");
    if (regex.isMissing)
      return [textSplit(field.get("pattern").get("String").string(), { behavior, invert })];
    if (behavior === "isolated" && !invert) return [splitOfPattern(regex.string(), { field: regex.path })];
    // What matches all there is cuts alike, whatever becomes of the rest.
    if (behavior === "removed" && invert)
      return [splitOfPattern(regex.string(), { field: regex.path, behavior, invert })];
    return [patternSplit(regex.string(), { behavior, invert, field: regex.path })];
  },
};

/** The space in front of a piece that has none yet. */
const spaceInFront = /* @__PURE__ */ defineRewrite("space in front", (text) =>
  text === "" || text.startsWith(" ") ? [] : [[0, 0, " "]],
);

function behaviorOf(field: JsonField): MatchBehavior {
  const name = field.string("Isolated");
  const behavior = Object.hasOwn(behaviors, name) ? behaviors[name] : undefined;
  return behavior ?? field.fail(Object.keys(behaviors).join(", "));
}

const behaviors: Readonly<Record<string, MatchBehavior>> = {
  Isolated: "isolated",
  Removed: "removed",
  MergedWithPrevious: "mergedWithPrevious",
  MergedWithNext: "mergedWithNext",
  Contiguous: "contiguous",
};

/** One entry of a file may be several steps: the first carries it, the others say nothing. */
function carryJson(steps: readonly Step[], json: unknown): Step[] {
  return steps.map((step, i) => ({ ...step, json: i === 0 ? json : null }));
}

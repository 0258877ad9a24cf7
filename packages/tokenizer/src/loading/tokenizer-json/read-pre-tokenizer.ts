import { knownNames } from "@qkv/core";
import { byteLevelNormalizer } from "../../normalizers/byte-level-normalizer.js";
import { defineNormalizer, type Normalizer } from "../../normalizers/normalizer.js";
import { gpt2Split } from "../../pre-tokenizers/gpt2-split.js";
import { splitFromPattern } from "../../pre-tokenizers/known-splits.js";
import { metaspace } from "../../pre-tokenizers/metaspace.js";
import { patternSplit, textSplit, type SplitBehavior } from "../../pre-tokenizers/pattern-split.js";
import {
  bertSplit,
  digitsSplit,
  fixedLengthSplit,
  punctuationSplit,
  whitespaceSplit,
} from "../../pre-tokenizers/simple-splits.js";
import type { Split } from "../../pre-tokenizers/split.js";
import type { JsonField } from "../json-field.js";
import { readPrependScheme } from "./read-prepend-scheme.js";

type Step = Split | Normalizer;

/** The second stage of a `tokenizer.json`: `pre_tokenizer`. Byte-to-unicode (`ByteLevel`) is its last step. */
export function readPreTokenizer(field: JsonField): readonly Step[] {
  if (field.isMissing) return [];
  const type = field.get("type");
  const reader = Object.hasOwn(readers, type.string()) ? readers[type.string()] : undefined;
  const steps = reader
    ? reader(field)
    : type.unsupported(
        `a pre-tokenizer: ${knownNames(type.value, Object.keys(readers), "the reference of `tokenizerFromJson`")}`,
      );
  return type.value === "Sequence" ? steps : carryJson(steps, field.value);
}

const readers: Readonly<Record<string, (field: JsonField) => readonly Step[]>> = {
  Sequence: (field) => field.get("pretokenizers").list().flatMap(readPreTokenizer),
  BertPreTokenizer: () => [bertSplit],
  WhitespaceSplit: () => [whitespaceSplit],
  Whitespace: () => [patternSplit("\\w+|[^\\w\\s]+", { behavior: "removed", invert: true })],
  Digits: (field) => [digitsSplit({ individual: field.get("individual_digits").boolean(false) })],
  Punctuation: (field) => [punctuationSplit(readBehavior(field.get("behavior")))],
  FixedLength: (field) => [fixedLengthSplit(Math.max(1, field.get("length").count(5)))],
  CharDelimiterSplit: (field) => [textSplit(field.get("delimiter").string(), { behavior: "removed" })],
  ByteLevel: (field) => [
    ...(field.get("add_prefix_space").boolean(true) ? [addPrefixSpace] : []),
    ...(field.get("use_regex").boolean(true) ? [gpt2Split] : []),
    byteLevelNormalizer,
  ],
  Metaspace(field) {
    return metaspace({
      replacement: field.get("replacement").string("▁"),
      prepend: readPrependScheme(field),
      split: field.get("split").boolean(true),
    });
  },
  Split(field) {
    const behavior = readBehavior(field.get("behavior"));
    const invert = field.get("invert").boolean(false);
    const regex = field.get("pattern").get("Regex");
    if (regex.isMissing)
      return [textSplit(field.get("pattern").get("String").string(), { behavior, invert })];
    if (behavior === "isolated" && !invert) return [splitFromPattern(regex.string(), { field: regex.path })];
    // A pattern that matches every character splits alike for any behavior of the rest.
    if (behavior === "removed" && invert)
      return [splitFromPattern(regex.string(), { field: regex.path, behavior, invert })];
    return [patternSplit(regex.string(), { behavior, invert, field: regex.path })];
  },
};

/** Prepends a space to a pre-token that has none yet (`add_prefix_space`). */
const addPrefixSpace = /* @__PURE__ */ defineNormalizer("add prefix space", (text) =>
  text === "" || text.startsWith(" ") ? [] : [[0, 0, " "]],
);

const readBehavior = (field: JsonField): SplitBehavior => field.choice(behaviors, "Isolated");

const behaviors: Readonly<Record<string, SplitBehavior>> = {
  Isolated: "isolated",
  Removed: "removed",
  MergedWithPrevious: "mergedWithPrevious",
  MergedWithNext: "mergedWithNext",
  Contiguous: "contiguous",
};

/** One entry of a file may be several steps: the first carries its JSON, the others carry null. */
function carryJson(steps: readonly Step[], json: unknown): Step[] {
  return steps.map((step, i) => ({ ...step, json: i === 0 ? json : null }));
}

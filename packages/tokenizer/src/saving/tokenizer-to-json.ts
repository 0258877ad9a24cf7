import { checks } from "@qkv/core";
import { checkTokenizer } from "../check-arguments.js";
import type { AddedToken } from "../added-tokens.js";
import type { Model } from "../models/model.js";
import type { Template, TemplateItem } from "../template.js";
import type { Tokenizer } from "../tokenizer.js";
import { mergesOfScores } from "./merges-of-scores.js";
import { mergesOfVocabulary } from "./merges-of-vocabulary.js";

/**
 * A tokenizer as a `tokenizer.json` holds it, whatever it was made from: `JSON.stringify` it, and Hugging Face's
 * libraries and {@link tokenizerFromJson} give the same ids. Two things such a file cannot hold: tokens that no text
 * becomes, and that begin or end a sequence, are special ones there, also where a text spells them; and scores become a list of merges, which differs
 * where two cuts of one token overlap in a run of the same letters.
 *
 * @throws {ArgumentError} If a stage cannot be written so: a split by a function, a rewrite of your own. The stage is
 *   named. Give it a `json` that says what the library has for it.
 *
 * @example
 * ```ts
 * import { byteLevelBpe, tokenizerFromJson, tokenizerToJson } from "@qkv/tokenizer";
 *
 * const file = JSON.stringify(tokenizerToJson(byteLevelBpe({ vocab: ["a", "b", "ab"], merges: ["a b"] })));
 * tokenizerFromJson(file).encode("ab"); // => [2]
 * ```
 */
export function tokenizerToJson(tokenizer: Tokenizer): Record<string, unknown> {
  checkTokenizer(checks("tokenizerToJson"), { tokenizer }, ["encode", "decode"]);
  const { normalize = [], preTokenize = [], model, postProcess, decode, addedTokens = [] } = tokenizer.stages;
  const { trimOffsets, truncate, pad } = tokenizer.stages;
  const written = (steps: readonly { name: string; json?: unknown }[], stage: string) =>
    steps
      .map((step) => (step.json === undefined ? refuseStage(stage, step.name) : step.json))
      .filter((json) => json !== null);
  const preTokenizers = written(preTokenize, "preTokenize");
  const inLetters = preTokenizers.some((json) => (json as { type?: string }).type === "ByteLevel");
  if (model.readsBytes && !inLetters) preTokenizers.push(byteLevel(false));
  const nameOf = (id: number) => tokenizer.token(id) ?? "";
  const processors = [
    ...(postProcess ? [templateJson(postProcess, nameOf)] : []),
    ...(trimOffsets ? [{ ...byteLevel(trimOffsets.addedSpace), trim_offsets: true }] : []),
  ];
  const steering = [...new Set([tokenizer.bosId, tokenizer.eosId])].flatMap((id) =>
    id === undefined || addedTokens.some((token) => token.id === id) || isText(tokenizer, id)
      ? []
      : [{ id, content: nameOf(id), special: true }],
  );
  const added: AddedToken[] = [...addedTokens, ...steering].sort((a, b) => a.id - b.id);
  return {
    version: "1.0",
    truncation: truncate
      ? {
          direction: truncate.side === "left" ? "Left" : "Right",
          max_length: truncate.maxLength,
          strategy: { longest: "LongestFirst", first: "OnlyFirst", second: "OnlySecond" }[
            truncate.which ?? "longest"
          ],
          stride: 0,
        }
      : null,
    padding: pad
      ? {
          strategy: pad.length ? { Fixed: pad.length } : "BatchLongest",
          direction: pad.side === "left" ? "Left" : "Right",
          pad_to_multiple_of: pad.multipleOf ?? null,
          pad_id: pad.padId,
          pad_type_id: pad.typeId ?? 0,
          pad_token: nameOf(pad.padId),
        }
      : null,
    added_tokens: added.map(({ id, content, special, normalized, singleWord, lstrip, rstrip }) => ({
      id,
      content,
      single_word: singleWord ?? false,
      lstrip: lstrip ?? false,
      rstrip: rstrip ?? false,
      normalized: normalized ?? false,
      special: special ?? false,
    })),
    normalizer: sequence("normalizers", written(normalize, "normalize")),
    pre_tokenizer: sequence("pretokenizers", preTokenizers),
    post_processor: sequence("processors", processors),
    decoder: written([decode], "decode")[0] ?? null,
    model: modelJson(model),
  };
}

/** Whether a text becomes that token: a new line may end sequences, and is a new line. */
function isText(tokenizer: Tokenizer, id: number): boolean {
  try {
    const ids = tokenizer.encode(tokenizer.decode([id]), { addSpecialTokens: false });
    return ids.length === 1 && ids[0] === id;
  } catch {
    return false; // what it spells has characters that no token has
  }
}

/** Merges that a vocabulary, or scores, leave to be found are found now: the file has to name them. */
function modelJson(model: Model): unknown {
  type Json = { type?: string; merges?: unknown; scored?: Parameters<typeof mergesOfScores>[0] };
  const { scored, ...json } = (model.json ?? (() => refuseStage("model", model.name)))() as Json;
  if (json.type !== "BPE") return json;
  return { ...json, merges: json.merges ?? (scored ? mergesOfScores(scored) : mergesOfVocabulary(model)) };
}

const byteLevel = (addedSpace: boolean) => ({
  type: "ByteLevel",
  add_prefix_space: addedSpace,
  trim_offsets: false,
  use_regex: false,
});

const sequence = (key: string, steps: readonly unknown[]): unknown =>
  steps.length === 0 ? null : steps.length === 1 ? steps[0] : { type: "Sequence", [key]: steps };

function templateJson(template: Template, nameOf: (id: number) => string): unknown {
  const ids = new Set(
    [...template.single, ...template.pair].flatMap((item) => ("id" in item ? [item.id] : [])),
  );
  const items = (list: readonly TemplateItem[]) =>
    list.map((item) =>
      "id" in item
        ? { SpecialToken: { id: nameOf(item.id), type_id: item.type } }
        : { Sequence: { id: item.text, type_id: item.type } },
    );
  return {
    type: "TemplateProcessing",
    single: items(template.single),
    pair: items(template.pair),
    special_tokens: Object.fromEntries(
      [...ids].map((id) => [nameOf(id), { id: nameOf(id), ids: [id], tokens: [nameOf(id)] }]),
    ),
  };
}

function refuseStage(stage: string, name: string): never {
  return checks("tokenizerToJson").refuse({
    argument: `stages.${stage}`,
    received: name,
    expected: "a stage that tokenizer.json can hold",
    fix: "give the stage a `json`, as the file would write it, or save what it was loaded from.",
  });
}

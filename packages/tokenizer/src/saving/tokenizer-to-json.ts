import { checks } from "@qkv/core";
import { checkTokenizer } from "../check-arguments.js";
import type { AddedToken } from "../added-tokens.js";
import type { Model } from "../models/model.js";
import type { Template, TemplateItem } from "../template.js";
import type { Tokenizer } from "../tokenizer.js";
import { mergesFromScores } from "./merges-from-scores.js";
import { mergesFromVocabulary } from "./merges-from-vocabulary.js";

/**
 * A tokenizer as a `tokenizer.json` holds it, whatever it was made from: `JSON.stringify` it, and Hugging Face's
 * libraries and {@link tokenizerFromJson} give the same ids. Two things such a file cannot hold: tokens that no text
 * becomes, and that begin or end a sequence, are special ones there, also where a text contains them; and scores become a list of merges, which differs
 * where two cuts of one token overlap in a run of the same letters.
 *
 * @throws {ArgumentError} If a stage cannot be written so: a split by a function, a normalizer of your own. The stage is
 *   named. Give it a `json`: the entry that Hugging Face's library has for it.
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
  const {
    normalizers = [],
    preTokenizers = [],
    model,
    postProcessor,
    decoder,
    addedTokens = [],
  } = tokenizer.stages;
  const { trimOffsets, truncation, padding } = tokenizer.stages;
  const stageJson = (steps: readonly { name: string; json?: unknown }[], stage: string) =>
    steps
      .map((step) => (step.json === undefined ? refuseStage(stage, step.name) : step.json))
      .filter((json) => json !== null);
  const preTokenizerJson = stageJson(preTokenizers, "preTokenizers");
  const hasByteLevel = preTokenizerJson.some((json) => (json as { type?: string }).type === "ByteLevel");
  if (model.isByteLevel && !hasByteLevel) preTokenizerJson.push(byteLevel(false));
  const tokenName = (id: number) => tokenizer.token(id) ?? "";
  const processors = [
    ...(postProcessor ? [templateJson(postProcessor, tokenName)] : []),
    ...(trimOffsets ? [{ ...byteLevel(trimOffsets.addedSpace), trim_offsets: true }] : []),
  ];
  const sequenceEnds = [...new Set([tokenizer.bosId, tokenizer.eosId])].flatMap((id) =>
    id === undefined || addedTokens.some((token) => token.id === id) || isEncoded(tokenizer, id)
      ? []
      : [{ id, content: tokenName(id), special: true }],
  );
  const added: AddedToken[] = [...addedTokens, ...sequenceEnds].sort((a, b) => a.id - b.id);
  return {
    version: "1.0",
    truncation: truncation
      ? {
          direction: truncation.side === "left" ? "Left" : "Right",
          max_length: truncation.maxLength,
          strategy: { longestFirst: "LongestFirst", onlyFirst: "OnlyFirst", onlySecond: "OnlySecond" }[
            truncation.strategy ?? "longestFirst"
          ],
          stride: 0,
        }
      : null,
    padding: padding
      ? {
          strategy: padding.length ? { Fixed: padding.length } : "BatchLongest",
          direction: padding.side === "left" ? "Left" : "Right",
          pad_to_multiple_of: padding.multipleOf ?? null,
          pad_id: padding.padId,
          pad_type_id: padding.typeId ?? 0,
          pad_token: tokenName(padding.padId),
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
    normalizer: sequence("normalizers", stageJson(normalizers, "normalizers")),
    pre_tokenizer: sequence("pretokenizers", preTokenizerJson),
    post_processor: sequence("processors", processors),
    decoder: stageJson([decoder], "decoder")[0] ?? null,
    model: modelJson(model),
  };
}

/** True if ordinary text encodes to this token: a line feed may be the EOS token and also text. */
function isEncoded(tokenizer: Tokenizer, id: number): boolean {
  try {
    const ids = tokenizer.encode(tokenizer.decode([id]), { addSpecialTokens: false });
    return ids.length === 1 && ids[0] === id;
  } catch {
    return false; // the text of the token has characters without a token
  }
}

/** Recovers merges that are only implied by a vocabulary or by scores, because the file has to list them. */
function modelJson(model: Model): unknown {
  type Json = { type?: string; merges?: unknown; scored?: Parameters<typeof mergesFromScores>[0] };
  const { scored, ...json } = (model.json ?? (() => refuseStage("model", model.name)))() as Json;
  if (json.type !== "BPE") return json;
  return {
    ...json,
    merges: json.merges ?? (scored ? mergesFromScores(scored) : mergesFromVocabulary(model)),
  };
}

const byteLevel = (addedSpace: boolean) => ({
  type: "ByteLevel",
  add_prefix_space: addedSpace,
  trim_offsets: false,
  use_regex: false,
});

const sequence = (key: string, steps: readonly unknown[]): unknown =>
  steps.length === 0 ? null : steps.length === 1 ? steps[0] : { type: "Sequence", [key]: steps };

function templateJson(template: Template, tokenName: (id: number) => string): unknown {
  const ids = new Set(
    [...template.single, ...template.pair].flatMap((item) => ("id" in item ? [item.id] : [])),
  );
  const items = (list: readonly TemplateItem[]) =>
    list.map((item) =>
      "id" in item
        ? { SpecialToken: { id: tokenName(item.id), type_id: item.typeId } }
        : { Sequence: { id: item.sequence, type_id: item.typeId } },
    );
  return {
    type: "TemplateProcessing",
    single: items(template.single),
    pair: items(template.pair),
    special_tokens: Object.fromEntries(
      [...ids].map((id) => [tokenName(id), { id: tokenName(id), ids: [id], tokens: [tokenName(id)] }]),
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

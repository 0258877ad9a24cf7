import { checks, type Checks } from "@qkv/core";
import type { Tokenizer } from "@qkv/tokenizer";
import type { EncoderModel } from "../models/model.js";
import { labelScores, taskLogits } from "../models/task-head.js";
import { bestIndices } from "./best-indices.js";
import { requiredHead } from "./required-head.js";
import { encodeTexts, requiredTokenizer, textList, truncatingTokenizer } from "./texts-to-rows.js";

/** Call options of a {@link TokenClassificationPipeline}, with the names of Transformers.js. */
export type TokenClassificationOptions = {
  /** Labels to omit from the result. Default `["O"]`. */
  ignore_labels?: readonly string[];
  /**
   * `"simple"` groups adjacent tokens of one entity, by the prefixes of their labels (`B-`, `I-`, `E-`, `S-`). Default `"none"`: one result
   * per token.
   */
  aggregation_strategy?: "none" | "simple";
};

/** A token with its label. */
export type ClassifiedToken = {
  /** The label. */
  entity: string;
  /** Its probability. */
  score: number;
  /** Index of the token, including special tokens. */
  index: number;
  /** Its text. */
  word: string;
};

/** Adjacent tokens of one entity. */
export type EntityGroup = {
  /** The label without its prefix. */
  entity_group: string;
  /** The mean of their probabilities. */
  score: number;
  /** Their text. */
  word: string;
};

/** Call signatures of a token classification pipeline. */
export type TokenClassificationCall = {
  (
    text: string,
    options: TokenClassificationOptions & { aggregation_strategy: "simple" },
  ): Promise<EntityGroup[]>;
  (
    texts: readonly string[],
    options: TokenClassificationOptions & { aggregation_strategy: "simple" },
  ): Promise<EntityGroup[][]>;
  (text: string, options?: TokenClassificationOptions): Promise<ClassifiedToken[]>;
  (texts: readonly string[], options?: TokenClassificationOptions): Promise<ClassifiedToken[][]>;
};

/** Creates the function of a token classification pipeline. */
export function tokenClassification(
  check: Checks<{ argument: string }>,
  model: EncoderModel,
): TokenClassificationCall {
  const head = requiredHead(check, model, "token");
  const tokenizer = truncatingTokenizer(
    requiredTokenizer(check, model.tokenizer),
    model.config.contextLength,
  );
  const callCheck: Checks = checks('pipeline("token-classification")');
  const call = async (texts: string | readonly string[], given?: TokenClassificationOptions) => {
    const { ignore_labels = ["O"], aggregation_strategy = "none" } = callCheck.options(given, [
      "ignore_labels",
      "aggregation_strategy",
    ]);
    callCheck.oneOf({ aggregation_strategy }, ["none", "simple"]);
    callCheck.list({ ignore_labels }, "labels", (label) => typeof label === "string");
    const { ids, rows } = encodeTexts(model, tokenizer, textList(callCheck, texts));
    const scores = labelScores(head, taskLogits(model, rows));
    const scoreData = (await scores.read()) as Float32Array;
    const [, T, count] = scores.shape as [number, number, number];
    const results = ids.map((sequence, b) => {
      const tokens = sequence.flatMap((id, index): ClassifiedToken[] => {
        const rowScores = scoreData.subarray((b * T + index) * count, (b * T + index + 1) * count);
        const [best] = bestIndices(rowScores, 1) as [number];
        const word = tokenizer.decode([id]);
        // Special tokens have no text.
        if (word === "" || ignore_labels.includes(head.labels[best]!)) return [];
        return [{ entity: head.labels[best]!, score: rowScores[best]!, index, word }];
      });
      return aggregation_strategy === "none" ? tokens : groupTokens(tokens, sequence, tokenizer);
    });
    return typeof texts === "string" ? results[0] : results;
  };
  return call as TokenClassificationCall;
}

/** Groups adjacent tokens: a group begins at B and S and where the entity type changes, and ends after E and S. */
function groupTokens(
  tokens: readonly ClassifiedToken[],
  ids: readonly number[],
  tokenizer: Tokenizer,
): EntityGroup[] {
  const groups: { kind: string; tokens: ClassifiedToken[]; open: boolean }[] = [];
  for (const token of tokens) {
    const [, prefix = "I", kind = token.entity] = /^([BIES])-(.*)$/s.exec(token.entity) ?? [];
    const last = groups.at(-1);
    if (last?.open && last.kind === kind && prefix !== "B" && prefix !== "S") {
      last.tokens.push(token);
      last.open = prefix !== "E";
    } else {
      groups.push({ kind, tokens: [token], open: prefix !== "S" });
    }
  }
  return groups.map(({ kind, tokens }) => ({
    entity_group: kind,
    score: tokens.reduce((sum, { score }) => sum + score, 0) / tokens.length,
    word: tokenizer.decode(tokens.map(({ index }) => ids[index]!)),
  }));
}

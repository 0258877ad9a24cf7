import { ArgumentError, checks } from "@qkv/core";
import { requireOptions } from "../check-arguments.js";
import type { Model } from "./model.js";
import { tokensById, vocabularyJson, type Vocabulary } from "./vocabulary.js";

/**
 * Word-level model: a pre-token is one token, or unknown.
 *
 * @param options - `vocab`: the words. `unknownId`: the token of words outside the vocabulary; without it, encoding one throws.
 * @throws {ArgumentError} If the vocabulary is damaged.
 */
export function wordLevel(options: { vocab: Vocabulary; unknownId?: number | undefined }): Model {
  const check = checks("wordLevel");
  const { unknownId } = check.options(requireOptions(check, options), ["vocab", "unknownId"]);
  const names = tokensById(options.vocab, "wordLevel");
  const ids = new Map(names.flatMap((token, id) => (token === undefined ? [] : [[token, id] as const])));
  return {
    name: "words",
    vocabSize: names.length,
    append(text, start, end, out, widths) {
      const piece = text.slice(start, end);
      if (piece === "") return;
      const id = ids.get(piece) ?? unknownId;
      if (id === undefined) {
        throw new ArgumentError({
          fn: "encode",
          argument: "text",
          received: piece,
          expected: "text whose words are in the vocabulary",
          fix: "give `unknownId`, the token for words outside the vocabulary.",
        });
      }
      out.push(id);
      widths?.push(new TextEncoder().encode(piece).length);
    },
    token: (id) => names[id],
    id: (token) => ids.get(token),
    json: () => ({
      type: "WordLevel",
      vocab: vocabularyJson(names),
      unk_token: unknownId === undefined ? "" : names[unknownId],
    }),
  };
}

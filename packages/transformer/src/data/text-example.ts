import { checks } from "@qkv/core";
import { isTokenId } from "./check-example.js";
import type { TrainingExample } from "./training-example.js";

/**
 * A text as a training example for next-token prediction.
 *
 * @param ids - Two or more token ids. Append the end-of-sequence token of the tokenizer if the model is to learn where texts
 *   end.
 * @throws {ArgumentError} If there are fewer than two ids.
 *
 * @example
 * ```ts
 * import { textExample } from "@qkv/transformer/data";
 *
 * textExample([5, 6, 7]); // => { ids: [5, 6], targets: [6, 7] }
 * ```
 */
export function textExample(ids: ArrayLike<number>): TrainingExample {
  const check = checks("textExample");
  check.list({ ids }, "token ids", isTokenId, "encode the text with a tokenizer.");
  if (ids.length < 2) {
    check.refuse({
      argument: "ids",
      received: `${ids.length} tokens`,
      expected: "2 tokens or more: one to read, and one to predict",
      fix: "leave shorter texts out.",
    });
  }
  const allIds = Array.from(ids);
  return { ids: allIds.slice(0, -1), targets: allIds.slice(1) };
}

import { checks } from "@qkv/core";
import type { LogitsProcessor } from "./logits-processor.js";

/** Options of {@link timestampRules}. */
export type TimestampRulesOptions = {
  /** Id of `<|notimestamps|>`. Timestamp tokens follow it, from 0 s, up to the end of the vocabulary. */
  noTimestampsId: number;
  /** The latest start of the first segment. Unit: timestamp tokens, 0.02 s each. Default: any. */
  maxInitialTimestamp?: number;
};

/**
 * Whisper's rules for timestamp tokens: a text begins with one; they come in pairs, the end of a segment and the start of
 * the next, except at the end of the text; they never decrease; and if all of them together are more likely than every other
 * token, one of them is chosen.
 *
 * @param options - `noTimestampsId` is needed.
 * @throws {ArgumentError} If a number is no id, or an option is not known.
 * @see "Robust Speech Recognition via Large-Scale Weak Supervision" (2022), arXiv:2212.04356, section 4.5
 *
 * @example
 * ```ts
 * import { processLogits, timestampRules } from "@qkv/transformer/processors";
 *
 * // Two words, the end of the text, <|notimestamps|>, and two times.
 * const rules = timestampRules({ noTimestampsId: 3 });
 * const sequence = { ids: [0], promptLength: 1, stopIds: [2] };
 * const begun = [...processLogits([9, 1, 1, 9, 2, 2], [rules], sequence)];
 * begun; // => [-Infinity, -Infinity, -Infinity, -Infinity, 2, 2]
 * // After "0 s, a word, 0.02 s" stands the end, or the same time again.
 * const ended = { ...sequence, ids: [0, 4, 1, 5] };
 * [...processLogits([1, 1, 9, 9, 2, 2], [rules], ended)]; // => [-Infinity, -Infinity, 9, -Infinity, -Infinity, 2]
 * ```
 */
export function timestampRules(options: TimestampRulesOptions): LogitsProcessor {
  const check = checks("timestampRules");
  const { noTimestampsId, maxInitialTimestamp } = check.options(options, [
    "noTimestampsId",
    "maxInitialTimestamp",
  ]);
  check.whole({ noTimestampsId }, { min: 0, fix: "take `no_timestamps_token_id` of the model." });
  if (maxInitialTimestamp !== undefined) check.whole({ maxInitialTimestamp }, { min: 0, unit: "tokens" });
  const first = noTimestampsId + 1;
  const isTime = (id: number | undefined) => id !== undefined && id >= first;
  return {
    name: "timestampRules",
    process(scores, { ids, promptLength, stopIds }) {
      check.whole(
        { noTimestampsId },
        { max: scores.length - 2, fix: "take that of the model's own tokenizer." },
      );
      scores[noTimestampsId] = -Infinity;
      const own = ids.slice(promptLength);
      if (own.length === 0) {
        scores.fill(-Infinity, 0, first);
        if (maxInitialTimestamp !== undefined) scores.fill(-Infinity, first + maxInitialTimestamp + 1);
      } else {
        const endsInTime = isTime(own.at(-1));
        // The timestamp at the very beginning is not part of a pair.
        const endsInPair = endsInTime && (own.length === 1 || isTime(own.at(-2)));
        if (endsInPair) scores.fill(-Infinity, first);
        // In the vocabulary, special tokens follow the text tokens; the first is the end-of-text token.
        else if (endsInTime) scores.fill(-Infinity, 0, Math.min(first, ...stopIds));
        const latest = own.findLast(isTime);
        // A segment may begin where the previous one ended, but must not be empty.
        if (latest !== undefined)
          scores.fill(-Infinity, first, endsInTime && !endsInPair ? latest : latest + 1);
      }
      if (timesAreLikelier(scores, first)) scores.fill(-Infinity, 0, first);
    },
  };
}

/** True if the total probability of timestamps is above that of every other token. */
function timesAreLikelier(scores: Float64Array, first: number): boolean {
  const largest = (part: Float64Array) => part.reduce((a, b) => Math.max(a, b), -Infinity);
  const times = scores.subarray(first);
  const time = largest(times);
  if (time === -Infinity) return false;
  const sum = times.reduce((sum, score) => sum + Math.exp(score - time), 0);
  return time + Math.log(sum) > largest(scores.subarray(0, first));
}

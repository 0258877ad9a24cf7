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
 * // The vocabulary: two text tokens, end of text, <|notimestamps|>, and the timestamps 0 s and 0.02 s.
 * const rules = timestampRules({ noTimestampsId: 3 });
 * const sequence = { ids: [0], promptLength: 1, stopIds: [2] };
 * const firstScores = [...processLogits([9, 1, 1, 9, 2, 2], [rules], sequence)];
 * firstScores; // => [-Infinity, -Infinity, -Infinity, -Infinity, 2, 2]
 * // After 0 s, a text token and 0.02 s come the end, or the same timestamp again.
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
      const generated = ids.slice(promptLength);
      if (generated.length === 0) {
        scores.fill(-Infinity, 0, first);
        if (maxInitialTimestamp !== undefined) scores.fill(-Infinity, first + maxInitialTimestamp + 1);
      } else {
        const endsInTime = isTime(generated.at(-1));
        // The timestamp at the very beginning is not part of a pair.
        const endsInPair = endsInTime && (generated.length === 1 || isTime(generated.at(-2)));
        if (endsInPair) scores.fill(-Infinity, first);
        // In the vocabulary, special tokens follow the text tokens; the first is the end-of-text token.
        else if (endsInTime) scores.fill(-Infinity, 0, Math.min(first, ...stopIds));
        const latest = generated.findLast(isTime);
        // A segment may begin where the previous one ended, but must not be empty.
        if (latest !== undefined)
          scores.fill(-Infinity, first, endsInTime && !endsInPair ? latest : latest + 1);
      }
      if (timestampsAreLikelier(scores, first)) scores.fill(-Infinity, 0, first);
    },
  };
}

/** True if the total probability of timestamps is above that of every other token. */
function timestampsAreLikelier(scores: Float64Array, first: number): boolean {
  const largest = (part: Float64Array) => part.reduce((a, b) => Math.max(a, b), -Infinity);
  const timestamps = scores.subarray(first);
  const highest = largest(timestamps);
  if (highest === -Infinity) return false;
  const sum = timestamps.reduce((sum, score) => sum + Math.exp(score - highest), 0);
  return highest + Math.log(sum) > largest(scores.subarray(0, first));
}

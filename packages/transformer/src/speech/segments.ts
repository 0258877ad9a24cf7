/** Duration of one timestamp step. Unit: seconds. */
const secondsPerToken = 0.02;

/** A segment of speech: start and end in seconds, and its tokens without timestamps. */
export type SpeechSegment = { readonly start: number; readonly end: number; readonly ids: readonly number[] };

/** The segments of a window of audio, and the position at which the next window begins. */
export type WindowSegments = {
  readonly segments: readonly SpeechSegment[];
  /** Start of the next window, from the start of this one. Unit: seconds. */
  readonly advance: number;
};

/**
 * Splits the tokens of a window at pairs of timestamps. A segment without an end is left to the next window, which
 * begins at the last timestamp. If the tokens end with a single timestamp, or have no pair, the segments cover the whole window.
 *
 * @param ids - Generated tokens, without the end token.
 * @param firstTimestamp - Id of the timestamp token for 0 s.
 * @param duration - Length of the audio in the window. Unit: seconds.
 */
export function windowSegments(
  ids: readonly number[],
  firstTimestamp: number,
  duration: number,
): WindowSegments {
  const isTime = (id: number | undefined) => id !== undefined && id >= firstTimestamp;
  const timestampSeconds = (id: number) => (id - firstTimestamp) * secondsPerToken;
  const textIds = (segmentIds: readonly number[]) => segmentIds.filter((id) => !isTime(id));
  // Indices of the second timestamp of each pair.
  const pairs = ids.flatMap((id, i) => (isTime(id) && isTime(ids[i - 1]) ? [i] : []));
  const endsWithSingle = isTime(ids.at(-1)) && !isTime(ids.at(-2));
  if (pairs.length === 0) {
    const last = ids.findLast(isTime);
    const first = isTime(ids[0]) ? timestampSeconds(ids[0]!) : 0;
    const end = last !== undefined && timestampSeconds(last) > first ? timestampSeconds(last) : duration;
    const windowIds = textIds(ids);
    const segments = windowIds.length === 0 ? [] : [{ start: first, end, ids: windowIds }];
    return { segments, advance: duration };
  }
  const ends = endsWithSingle ? [...pairs, ids.length] : pairs;
  const segments = ends.map((end, i): SpeechSegment => {
    const segmentIds = ids.slice(ends[i - 1] ?? 0, end);
    const start = isTime(segmentIds[0]) ? timestampSeconds(segmentIds[0]!) : 0;
    return { start, end: timestampSeconds(segmentIds.at(-1)!), ids: textIds(segmentIds) };
  });
  const advance = endsWithSingle ? duration : timestampSeconds(ids[pairs.at(-1)! - 1]!);
  return {
    segments: segments.filter(({ ids }) => ids.length > 0),
    // With a last pair at 0 s, the next window would be the same.
    advance: advance > 0 ? Math.min(advance, duration) : duration,
  };
}

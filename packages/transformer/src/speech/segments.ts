/** Seconds of one token of time. */
const secondsPerToken = 0.02;

/** A stretch of speech: its time in seconds, and its tokens without those of times. */
export type SpeechSegment = { readonly start: number; readonly end: number; readonly ids: readonly number[] };

/** The segments of a window of sound, and how much of it they account for. */
export type WindowSegments = {
  readonly segments: readonly SpeechSegment[];
  /** Unit: seconds from the beginning of the window, from which the next one begins. */
  readonly advance: number;
};

/**
 * Splits the tokens of a window at pairs of times. A segment that has begun and not ended is left to the next window, which
 * begins at the last time; a text that ends in a single time, or has no pair of them, accounts for the whole window.
 *
 * @param ids - Generated tokens, without the one that ends them.
 * @param firstTimestamp - Id of the token for 0 s.
 * @param duration - Length of the sound in the window. Unit: seconds.
 */
export function windowSegments(
  ids: readonly number[],
  firstTimestamp: number,
  duration: number,
): WindowSegments {
  const isTime = (id: number | undefined) => id !== undefined && id >= firstTimestamp;
  const timestampSeconds = (id: number) => (id - firstTimestamp) * secondsPerToken;
  const textIds = (own: readonly number[]) => own.filter((id) => !isTime(id));
  const between = ids.flatMap((id, i) => (isTime(id) && isTime(ids[i - 1]) ? [i] : []));
  const endsInOne = isTime(ids.at(-1)) && !isTime(ids.at(-2));
  if (between.length === 0) {
    const last = ids.findLast(isTime);
    const first = isTime(ids[0]) ? timestampSeconds(ids[0]!) : 0;
    const end = last !== undefined && timestampSeconds(last) > first ? timestampSeconds(last) : duration;
    const own = textIds(ids);
    return { segments: own.length === 0 ? [] : [{ start: first, end, ids: own }], advance: duration };
  }
  const ends = endsInOne ? [...between, ids.length] : between;
  const segments = ends.map((end, i): SpeechSegment => {
    const own = ids.slice(ends[i - 1] ?? 0, end);
    const start = isTime(own[0]) ? timestampSeconds(own[0]!) : 0;
    return { start, end: timestampSeconds(own.at(-1)!), ids: textIds(own) };
  });
  const advance = endsInOne ? duration : timestampSeconds(ids[between.at(-1)! - 1]!);
  return {
    segments: segments.filter(({ ids }) => ids.length > 0),
    // A pair at 0 s accounts for nothing, and the next window would be the same.
    advance: advance > 0 ? Math.min(advance, duration) : duration,
  };
}

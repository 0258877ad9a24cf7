/** One letter that the decoder wrote, and the numbers that it was computed from. */
export type DecodedLetter = {
  letter: string;
  /** Its probability. */
  probability: number;
  /** The second most probable letter. */
  second: { letter: string; probability: number };
  /** The query: the state s of the decoder before this letter, `[F]`. */
  state: readonly number[];
  /** W s, `[A]`. */
  projectedQuery: readonly number[];
  /** Score of each source letter: v · tanh(W s + U h). */
  scores: readonly number[];
  /** Softmax of the scores. */
  weights: readonly number[];
  /** Weighted sum of the annotations, `[F]`. */
  context: readonly number[];
  /** State of the decoder after this letter, `[F]`. */
  next: readonly number[];
};

/**
 * A date, read and written by a recurrent translator with additive attention.
 *
 * @see "Neural Machine Translation by Jointly Learning to Align and Translate" (2014), arXiv:1409.0473
 */
export type EncoderDecoderAttentionModel = {
  source: readonly string[];
  /** The correct translation. */
  target: string;
  /** Annotations h, keys and values at once: `[F]` for each source letter, the forward encoder's half first. */
  annotations: readonly (readonly number[])[];
  /** U h, `[A]` for each source letter. */
  projectedKeys: readonly (readonly number[])[];
  /** v, `[A]`. */
  scoreWeights: readonly number[];
  decoded: readonly DecodedLetter[];
  /** Origin of the weights. */
  madeBy: string;
};

/** Settings that a reader chooses. */
export type EncoderDecoderAttentionChoices = {
  /** A date, as "3 May 1979", "May 3, 1979" or "03.05.1979". */
  source: string;
};

/** A letter as it is drawn. */
export const shownLetter = (letter: string): string => (letter === " " ? "␣" : letter);

/** Index of the largest number. */
export const indexOfMax = (numbers: readonly number[]): number => numbers.indexOf(Math.max(...numbers));

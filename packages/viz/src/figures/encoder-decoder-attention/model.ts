/** One letter that the decoder wrote, and everything that led to it. */
export type DecodedLetter = {
  letter: string;
  /** Probability that the model gave it. */
  probability: number;
  /** The letter that came next in its probabilities. */
  second: { letter: string; probability: number };
  /** The query: state of the decoder before this letter, `[F]`. */
  state: readonly number[];
  /** W times the state, `[A]`. */
  projectedQuery: readonly number[];
  /** One for each letter of the source: v · tanh(W s + U h). */
  scores: readonly number[];
  /** Softmax of the scores. */
  weights: readonly number[];
  /** The annotations, added by weight, `[F]`. */
  context: readonly number[];
  /** State of the decoder after this letter, `[F]`. */
  next: readonly number[];
};

/** A date as a recurrent translator with additive attention reads and writes it. */
export type EncoderDecoderAttentionModel = {
  source: readonly string[];
  /** The date in the form that is right. */
  target: string;
  /** Keys and values: one vector for each letter of the source, `[F]`, the forward encoder's half first. */
  annotations: readonly (readonly number[])[];
  /** U times the annotations, `[A]` each. */
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
export const largest = (numbers: readonly number[]): number => numbers.indexOf(Math.max(...numbers));

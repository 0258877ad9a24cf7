/** A token that may come next, as each stage of sampling leaves it. Probabilities are parts of 1. */
export type GenerationCandidate = {
  id: number;
  text: string;
  /** By the model: softmax of its logits. */
  probability: number;
  /** With the temperature. */
  tempered: number;
  /** After top-p, divided by the sum of what is kept: 0 where it is cut. */
  kept: number;
  /** Interval of the random numbers from 0 to 1 that draw this token. Both are 0 for a token that top-p cuts. */
  from: number;
  to: number;
  /** The model's probability with every key and value kept exactly, where another cache was chosen. */
  exact?: number;
};

/** Tokens without a bar of their own, taken together. */
export type OtherCandidates = {
  count: number;
  probability: number;
  tempered: number;
  kept: number;
  /** Number of them that top-p keeps. */
  keptCount: number;
};

/** The form in which the cache holds one token. */
export type CachedAs = "float32" | "int8" | "evicted";

/** One token that was generated, and everything that led to it. */
export type GeneratedToken = {
  id: number;
  text: string;
  /** It ends the text. */
  ends: boolean;
  /** Weights of the last token of the text so far, over all of it: a list for each head, layer after layer. */
  weights: readonly (readonly number[])[];
  /** The form of each token of the text so far in the cache. */
  cache: readonly CachedAs[];
  cacheBytes: number;
  /** The likeliest by the model, the likeliest first, and the one that was taken. */
  candidates: readonly GenerationCandidate[];
  others: OtherCandidates;
  /** Index of the taken one in `candidates`. */
  taken: number;
  /** Number from 0 to 1 that fell on it; of one that the reader took, and of temperature 0, none. */
  draw: number | undefined;
  /** Taken by the reader. */
  pinned: boolean;
  /** The forward pass that it comes from, counted from 0: the first is that of the prompt. */
  pass: number;
  /** Draft tokens of its pass that are still to be verified, the one for this place first. */
  draft: readonly string[];
};

/** One way on: the tokens that the reader pinned, and what was drawn after them. */
export type GenerationBranch = {
  /** Its name among the choices: "" is the one that was drawn from the prompt on. */
  name: string;
  tokens: readonly string[];
  /** Product of the probabilities that the model gave to its tokens. */
  probability: number;
  /** The branch that it left, by index, and the number of generated tokens that they share. */
  parent: number;
  forkedAt: number;
};

/** A text as a model writes it. */
export type GenerationModel = {
  prompt: readonly string[];
  /** Of the branch that is shown. */
  generated: readonly GeneratedToken[];
  branches: readonly GenerationBranch[];
  /** Index of the branch that is shown. */
  branch: number;
  /** Names of new branches begin with it: they belong to this prompt. */
  promptName: string;
  numLayers: number;
  numHeads: number;
  vocabSize: number;
  /** Bytes of one token's keys and values in float32, in all layers. */
  bytesPerToken: number;
  temperature: number;
  topP: number;
  seed: number;
  cache: GenerationChoices["cache"];
  draft: GenerationChoices["draft"];
};

/** Settings that a reader chooses. */
export type GenerationChoices = {
  text: string;
  /** Head whose weights are drawn, counted over all layers, or -1 for the mean of all. */
  head: number;
  temperature: number;
  topP: number;
  seed: number;
  /** Tokens to generate. */
  tokens: number;
  cache: "contiguous" | "rolling" | "quantized";
  draft: "none" | "prompt-lookup";
  /**
   * Branches besides the one that is drawn, joined by "_": the name of the prompt, or * for any, and the tokens that are
   * taken, each by id, or by its rank in the model's probabilities. "*.r0" takes the likeliest first token.
   */
  branches: string;
  /** The one that is shown: "" for the first. */
  branch: string;
};

/** Token as it is drawn: without the space that begins it. */
export function shownToken(token: string): string {
  const text = token.replace(/\n/g, "⏎").trim();
  if (text === "") return token.includes("\n") ? "⏎" : "␣";
  return text.length > 12 ? `${text.slice(0, 11)}…` : text;
}

/** Weights of the last token when a token was generated: of a head, or the mean of all. */
export function headWeights({ weights }: GeneratedToken, head: number): number[] {
  const own = weights[head];
  if (own) return [...own];
  return weights[0]!.map((_, i) => weights.reduce((sum, row) => sum + row[i]!, 0) / weights.length);
}

/** A head in words. */
export const headName = ({ numHeads }: Pick<GenerationModel, "numHeads">, head: number): string =>
  head < 0 ? "mean of all heads" : `layer ${Math.floor(head / numHeads)}, head ${head % numHeads}`;

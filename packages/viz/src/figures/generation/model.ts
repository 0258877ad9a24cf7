/** A candidate for the next token, with its probability after each stage of sampling. */
export type GenerationCandidate = {
  id: number;
  text: string;
  /** Softmax of the logits. */
  probability: number;
  /** After the temperature. */
  tempered: number;
  /** After top-p and renormalization; 0 if top-p removes the token. */
  kept: number;
  /** Random numbers in this interval select the token. Both are 0 if top-p removes it. */
  from: number;
  to: number;
  /** Softmax of the logits with an exact cache (float32, no eviction), if another cache is chosen. */
  exact?: number;
};

/** All other tokens together. */
export type OtherCandidates = {
  count: number;
  probability: number;
  tempered: number;
  kept: number;
  /** Number of these tokens that top-p keeps. */
  keptCount: number;
};

/** The form in which the cache holds one token. */
export type CachedAs = "float32" | "int8" | "evicted";

/** One generated token, and the numbers that it was sampled from. */
export type GeneratedToken = {
  id: number;
  text: string;
  /** True for a stop token. */
  ends: boolean;
  /** Attention weights of the last token before it, `[L · H][tokens]`: head by head, layer by layer. */
  weights: readonly (readonly number[])[];
  /** Form of each earlier token in the cache. */
  cache: readonly CachedAs[];
  cacheBytes: number;
  /** The most probable tokens, the most probable first, and the selected token. */
  candidates: readonly GenerationCandidate[];
  others: OtherCandidates;
  /** Index of the selected token in `candidates`. */
  taken: number;
  /** The random number from 0 to 1 that selected it. Undefined for a pinned token, and at temperature 0. */
  draw: number | undefined;
  /** True if the reader selected it. */
  pinned: boolean;
  /** Index of the forward pass that computed its logits. Pass 0 reads the prompt. */
  pass: number;
  /** Draft tokens of this pass that are not verified yet, the one for this position first. */
  draft: readonly string[];
};

/** A continuation of the prompt: tokens that the reader pinned, and tokens that were sampled after them. */
export type GenerationBranch = {
  /** Its name in the choices: "" for the branch without pinned tokens. */
  name: string;
  tokens: readonly string[];
  /** Product of the probabilities of its tokens. */
  probability: number;
  /** Index of the branch that it forks from, and the number of generated tokens that they share. */
  parent: number;
  forkedAt: number;
};

/** Numbers of the figure: a prompt and its continuations. */
export type GenerationModel = {
  prompt: readonly string[];
  /** Tokens of the branch that is shown. */
  generated: readonly GeneratedToken[];
  branches: readonly GenerationBranch[];
  /** Index of the branch that is shown. */
  branch: number;
  /** Prefix of the names of branches of this prompt. */
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
  /** Head whose weights are drawn, counted over all layers: layer · H + head. -1: the mean of all. */
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
  /** Name of the branch that is shown: "" for the first. */
  branch: string;
};

/** A token as it is drawn: without the space before a word. */
export function shownToken(token: string): string {
  const text = token.replace(/\n/g, "⏎").trim();
  if (text === "") return token.includes("\n") ? "⏎" : "␣";
  return text.length > 12 ? `${text.slice(0, 11)}…` : text;
}

/** Attention weights of one head, or the mean of all heads if `head` is -1. */
export function headWeights({ weights }: GeneratedToken, head: number): number[] {
  const headRow = weights[head];
  if (headRow) return [...headRow];
  return weights[0]!.map((_, i) => weights.reduce((sum, row) => sum + row[i]!, 0) / weights.length);
}

/** A head in words. */
export const headName = ({ numHeads }: Pick<GenerationModel, "numHeads">, head: number): string =>
  head < 0 ? "mean of all heads" : `layer ${Math.floor(head / numHeads)}, head ${head % numHeads}`;

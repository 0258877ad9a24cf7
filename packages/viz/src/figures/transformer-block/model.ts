import type { PictureData } from "../../check-data.js";

/** Numbers of one block of a decoder on a text of T tokens, with H heads of size D. */
export type BlockNumbers = {
  /** Dot products of queries and keys, scaled and masked, `[H, T, T]`. */
  scores: PictureData;
  /** `[H, T, T]` */
  weights: PictureData;
  /** Values of the KV heads, `[numKvHeads, T, D]`. */
  values: PictureData;
  /** Outputs of the heads, weights times values, `[H, T, D]`. */
  mixtures: PictureData;
  /** Vectors that the heads add to the residual stream, `[H, T, C]`. */
  headWrites: PictureData;
  /** Gate projection of the MLP before the activation, `[T, F]`, if it has one. */
  gate?: PictureData;
  /** Up projection of the MLP, `[T, F]`. */
  up: PictureData;
  /** Hidden activations, `[T, F]`: the input of the down projection. */
  hidden: PictureData;
};

/** A candidate for the next token. */
export type NextToken = {
  text: string;
  id: number;
  /** Probability with nothing removed. */
  before: number;
  /** Probability with the part removed. */
  now: number;
  logit: number;
  /** Contributions of the embedding and of each part to the logit, in the order of the residual stream. */
  parts: readonly number[];
  /** Contributions of the heads to the logit, layer by layer. */
  heads: readonly (readonly number[])[];
  /** Contribution of the bias of the final norm. With `parts` it sums to `logit`. */
  rest: number;
};

/** Numbers of the figure: the residual stream of a decoder on a text, and the input and output of each part. */
export type TransformerBlockModel = {
  /** The model in words, as "our small model". */
  name: string;
  tokens: readonly { text: string; id: number }[];
  vocabSize: number;
  numHeads: number;
  numKvHeads: number;
  norm: "rms" | "layer";
  /** Name of the activation function, as "SiLU". */
  activation: string;
  /** The residual stream after the embedding, then after each part, `[T, C]` each. */
  stream: readonly PictureData[];
  /** Outputs that are added to the stream: attention and MLP of each block in turn, `[T, C]` each. */
  writes: readonly PictureData[];
  /** Inputs of the parts, after their norms, and last the output of the final norm, `[T, C]` each. */
  normed: readonly PictureData[];
  blocks: readonly BlockNumbers[];
  /** Candidates for the token after each token. The first is the most probable with nothing removed. */
  next: readonly (readonly NextToken[])[];
  /** The removed part, as in the choices. */
  removed: string;
};

/** Settings that the reader chooses. */
export type TransformerBlockChoices = {
  text: string;
  /** Index of the token that is followed; -1: the last. */
  token: number;
  /** Index of the expanded block. */
  layer: number;
  /** Index of the expanded head. */
  head: number;
  /** Index into `next` of the candidate whose logit is explained. */
  target: number;
  /** "none", "attention-0", "mlp-0" or "head-0-1": block 0, head 1. */
  removed: string;
};

/** The choices, limited to indices that the model has. */
export type Chosen = { t: number; l: number; h: number; target: NextToken };

export function chosen(
  model: TransformerBlockModel,
  { token, layer, head, target }: TransformerBlockChoices,
): Chosen {
  const last = model.tokens.length - 1;
  const t = token < 0 ? last : Math.min(token, last);
  const next = model.next[t]!;
  return {
    t,
    l: Math.min(layer, model.blocks.length - 1),
    h: Math.min(head, model.numHeads - 1),
    target: next[Math.min(target, next.length - 1)]!,
  };
}

/** The numbers of one row of the last axis. */
export function vector({ data, shape }: PictureData, ...index: readonly number[]): number[] {
  const width = shape.at(-1)!;
  const row = index.reduce((at, i, axis) => at * shape[axis]! + i, 0);
  return Array.from({ length: width }, (_, i) => data[row * width + i]!);
}

/** Euclidean norm of a vector. */
export const l2Norm = (x: readonly number[]): number =>
  Math.sqrt(x.reduce((sum, each) => sum + each * each, 0));
export const mean = (x: readonly number[]): number => x.reduce((sum, each) => sum + each, 0) / x.length;
/** Root of the mean square. */
export const rootMeanSquare = (x: readonly number[]): number => l2Norm(x) / Math.sqrt(x.length);

/** Index of the KV head of a query head. */
export const kvHeadIndex = ({ numHeads, numKvHeads }: TransformerBlockModel, head: number): number =>
  Math.floor((head * numKvHeads) / numHeads);

/** True if a part is removed. */
export const isRemoved = ({ removed }: TransformerBlockModel, part: string): boolean => removed === part;

/** Id of a part in permalinks. */
export const partId = (k: number): string => `${k % 2 === 0 ? "attention" : "mlp"}-${Math.floor(k / 2)}`;

/** Name of a part in words: "attention of block 0". */
export function partText(part: string): string {
  const [kind, layer, head] = part.split("-");
  if (kind === "head") return `head ${head} of block ${layer}`;
  return `${kind === "mlp" ? "the MLP" : "attention"} of block ${layer}`;
}

/** The sign between printed terms and their printed sum: `≈` if rounding makes them differ. */
export function equals(terms: readonly number[], total: number, digits: number): "=" | "≈" {
  const sum = terms.reduce((all, term) => all + Number(term.toFixed(digits)), 0);
  return Math.abs(sum - Number(total.toFixed(digits))) < 1e-9 ? "=" : "≈";
}

/** Number of hidden units with more than half the activation of the strongest one. */
export function activeUnits(values: readonly number[]): number {
  const max = Math.max(...values.map(Math.abs));
  return values.filter((value) => Math.abs(value) > max / 2).length;
}

/** A probability in percent: whole, or with more digits if it is small. */
export function percent(value: number): string {
  if (value >= 0.9995) return "100%";
  if (value > 0.99) return `${(100 * value).toFixed(1)}%`;
  return value >= 0.095
    ? `${Math.round(100 * value)}%`
    : value >= 0.0005
      ? `${(100 * value).toFixed(1)}%`
      : "<0.1%";
}

/** A token as it is drawn. A token of white space is a symbol. */
export function shown(token: string): string {
  const text = token.replace(/\n/g, "⏎").trim() || (token.includes("\n") ? "⏎" : "␣");
  return text.length > 12 ? `${text.slice(0, 11)}…` : text;
}
export const quoted = (token: string): string => `“${shown(token)}”`;
export const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

import type { PictureData } from "../../check-data.js";
import type { TracedHead } from "../traced-head.js";

/** The matrices of one attention call of one head: self-attention over `T` tokens. */
export type AttentionCallModel = TracedHead & {
  /** One for each row. */
  tokens: readonly string[];
  /** The head, in words, as "layer 2, head 1". Default: nothing is said. */
  head?: string;
  /** Heads that the reader may choose, by number. Default: there is no choice. */
  heads?: readonly { value: number; label: string }[];
  /** Names of the columns of `x`. Default: they have none, as in any trained model. */
  features?: readonly string[];
  /** Names of the columns of `query`, `key` and `value`. */
  channels?: readonly string[];
  /** Input of the layer, `[T, C]`. */
  x: PictureData;
  /** Projection matrices, `[C, D]` each. Default: they are not drawn. */
  projections?: { query: PictureData; key: PictureData; value: PictureData };
};

/** Settings of {@link attentionCall}. */
export type AttentionCallChoices = {
  /** Index of the token that is followed. */
  token: number;
  /** Number of the head. */
  head: number;
  /** Keys that a query sees: all before it, all, or itself and the one before it. */
  mask: "causal" | "none" | "window";
  /** Divides the scores: above 1 the weights are more even, below 1 less. */
  temperature: number;
};

/** A matrix of the picture. */
export type MatrixName = "x" | "wq" | "wk" | "wv" | "q" | "k" | "v" | "s" | "a" | "o";

/** A cell, a row, a column, or all of a matrix. */
export type MatrixRegion = { name: MatrixName; row?: number; column?: number };

/** The field of the model for each matrix. `s` are the scores before scaling. */
const fields = {
  x: "x",
  q: "query",
  k: "key",
  v: "value",
  s: "dots",
  a: "weights",
  o: "output",
} as const;
const projected = { wq: "query", wk: "key", wv: "value" } as const;

/** The numbers of a matrix. Undefined for projections that the model does not have. */
export function matrixByName(model: AttentionCallModel, name: MatrixName): PictureData | undefined {
  return name === "wq" || name === "wk" || name === "wv"
    ? model.projections?.[projected[name]]
    : model[fields[name]];
}

/** The number of a cell of a matrix. */
export const elementAt = ({ data, shape }: PictureData, row: number, column: number): number =>
  data[row * shape[1]! + column]!;
export const rows = ({ shape }: PictureData): number => shape[0]!;
export const columns = ({ shape }: PictureData): number => shape[1]!;
export const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
/** True if the query of a row sees the key of a column. */
export const isSeen = ({ seen }: AttentionCallModel, row: number, column: number): boolean =>
  elementAt(seen, row, column) !== 0;

/** Keys with a step of their own: all if there are at most seven, else the three with the largest weights, in order. */
export function followedKeys(model: AttentionCallModel, token: number): number[] {
  const keys = range(rows(model.key));
  if (keys.length <= 7) return keys;
  const strongest = [...keys]
    .sort((a, b) => elementAt(model.weights, token, b) - elementAt(model.weights, token, a))
    .slice(0, 3);
  return strongest.sort((a, b) => a - b);
}

/** True if cells are wide enough for their numbers. Wider matrices are drawn as strips of color. */
export const fitsNumbers = (model: AttentionCallModel): boolean => columns(model.query) <= 8;

/** Digits after the point: 1 if that writes all numbers exactly, else 2. */
export function fractionDigits(frame: PictureData): number {
  const exact = (digits: number) =>
    Array.from(frame.data).every((value) => Math.abs(value - Number(value.toFixed(digits))) < 1e-6);
  return exact(1) ? 1 : 2;
}

export const percent = (value: number): string => `${Math.round(100 * value)}%`;
/** Token in quotes, with a mark for white space. */
export const quoted = (token: string): string => `“${tokenLabel(token)}”`;
/** A token as it is drawn: at most ten letters, with symbols for white space. */
export const tokenLabel = (token: string): string => {
  const text = token.replace(/\n/g, "⏎").trim() || (token.includes("\n") ? "⏎" : "␣");
  return text.length > 10 ? `${text.slice(0, 9)}…` : text;
};

/** The sign between printed terms and their printed sum: `≈` if rounding makes them differ. */
export function equalitySign(
  terms: readonly number[],
  total: number,
  digits: number,
  termDigits = digits,
): "=" | "≈" {
  const sum = terms.reduce((all, term) => all + Number(term.toFixed(termDigits)), 0);
  return Math.abs(sum - Number(total.toFixed(digits))) < 1e-9 ? "=" : "≈";
}

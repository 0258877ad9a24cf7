import type { PictureData } from "../../check-data.js";
import { elementAt, range } from "../attention-call/model.js";
import type { TracedHead } from "../traced-head.js";

/** A model whose attention was traced on the text. */
export type TracedModel = {
  /** Its id in a permalink, as "bert". */
  id: string;
  /** "BERT" */
  name: string;
  /** A few words about it: "fills the gap with “cow”, 83%". */
  note?: string;
  /** Texts in the batch, of which the first is drawn. */
  batchSize: number;
  /** Heads of keys and values. */
  numKvHeads: number;
  /** Query heads of each layer. */
  layers: readonly (readonly TracedHead[])[];
};

/** Traced attention of one text by one model or more. */
export type LinkedMatricesModel = {
  /** Text of each query. */
  tokens: readonly string[];
  /** Text of each key. Default: those of the queries. */
  keyTokens?: readonly string[];
  models: readonly TracedModel[];
  /** Index of the initial query. Default: the last one. */
  row?: number;
  /** Source of the models, a sentence under the picture. Default: none. */
  source?: string;
  /** Texts that the reader may choose. Default: there is no choice. */
  texts?: readonly string[];
};

/** Settings of {@link linkedMatrices}. */
export type LinkedMatricesChoices = {
  text: string;
  /** The `id` of a model. */
  model: string;
  layer: number;
  head: number;
};

/** A matrix of the picture. */
export type LinkedMatrix = "q" | "k" | "v" | "s" | "a" | "o";

/** A number of the picture. */
export type LinkedCell = { name: LinkedMatrix; row: number; column: number };

/** The chosen model, layer and head, or the nearest that exist. */
export function chosenHead({ models }: LinkedMatricesModel, choices: LinkedMatricesChoices) {
  const model = models.find(({ id }) => id === choices.model) ?? models[0]!;
  const layer = Math.min(choices.layer, model.layers.length - 1);
  const heads = model.layers[layer]!;
  const index = Math.min(choices.head, heads.length - 1);
  return { model, layer, index, head: heads[index]! };
}

/** Sizes of a head: queries, keys, head size. */
export function headSizes({ query, key }: TracedHead): { T: number; S: number; D: number } {
  return { T: query.shape[0]!, S: key.shape[0]!, D: query.shape[1]! };
}

export const keyLabels = ({ tokens, keyTokens }: LinkedMatricesModel): readonly string[] =>
  keyTokens ?? tokens;

/** The numbers of a matrix. `scaled`: scores after scaling, else the dot products. */
export function matrixData(head: TracedHead, name: LinkedMatrix, scaled: boolean): PictureData {
  const fields = {
    q: "query",
    k: "key",
    v: "value",
    s: scaled ? "scores" : "dots",
    a: "weights",
    o: "output",
  } as const;
  return head[fields[name]];
}

/** Number of a cell. */
export const cellValue = (head: TracedHead, { name, row, column }: LinkedCell, scaled: boolean): number =>
  elementAt(matrixData(head, name, scaled), row, column);

export const isVisible = ({ seen }: TracedHead, row: number, column: number): boolean =>
  elementAt(seen, row, column) !== 0;

/** The cell of an address, or undefined if the head has none there. */
export function parseCell(head: TracedHead, address: string | undefined): LinkedCell | undefined {
  const [, name, row, column] = /^([qkvsao]):(\d+):(\d+)$/.exec(address ?? "") ?? [];
  if (name === undefined) return undefined;
  const cell = { name: name as LinkedMatrix, row: Number(row), column: Number(column) };
  const [R, C] = matrixData(head, cell.name, true).shape as [number, number];
  return cell.row < R && cell.column < C ? cell : undefined;
}

/** The initial query, and the key with its largest weight. */
export function strongestWeight(model: LinkedMatricesModel, head: TracedHead): { row: number; key: number } {
  const { T, S } = headSizes(head);
  const row = Math.min(model.row ?? T - 1, T - 1);
  const key = range(S).reduce(
    (best, j) => (elementAt(head.weights, row, j) > elementAt(head.weights, row, best) ? j : best),
    0,
  );
  return { row, key };
}

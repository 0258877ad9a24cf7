import type { ThemeName } from "../../palette.js";
import { elementAt, equalitySign, quoted, range } from "../attention-call/model.js";
import {
  chosenHead,
  matrixData,
  isVisible,
  keyLabels,
  cellValue,
  headSizes,
  type LinkedCell,
  type LinkedMatricesChoices,
  type LinkedMatricesModel,
  type LinkedMatrix,
} from "./model.js";
import { fixed } from "../fixed.js";

/** A row of numbers in the arithmetic of a cell. */
export type TermRow = {
  name: string;
  values: readonly (number | undefined)[];
  color: ThemeName;
  /** Numbers are weights. */
  weight?: boolean;
  /** Key of the mark of each number, from which it is animated. */
  home?: (term: number) => string | undefined;
};

/** The arithmetic of a number: its formula, its terms and its result. */
export type Arithmetic = {
  title: string;
  formula: string;
  /** Names above the terms. */
  heads: readonly string[];
  rows: readonly TermRow[];
  result: string;
};

const maxTerms = 9;

const termCount = (terms: number) =>
  terms > maxTerms + 1 ? `all ${terms} products, the largest of which stand here,` : `the ${terms} products`;

/** Matrix names as in a formula. */
export const matrixSymbols: Record<LinkedMatrix, string> = {
  q: "Q",
  k: "K",
  v: "V",
  s: "scores",
  a: "weights",
  o: "output",
};

/** The token of a row of a matrix, in quotes. */
export function rowName(model: LinkedMatricesModel, { name, row }: LinkedCell): string {
  return quoted((name === "k" || name === "v" ? keyLabels(model) : model.tokens)[row]!);
}

/** A number with its row and column, in a sentence. */
export function cellText(
  model: LinkedMatricesModel,
  choices: LinkedMatricesChoices,
  cell: LinkedCell,
  scaled: boolean,
  masks: boolean,
): string {
  const { head } = chosenHead(model, choices);
  const { name, row, column } = cell;
  const value = fixed(cellValue(head, cell, scaled));
  const rowText = rowName(model, cell);
  if (name === "s" || name === "a") {
    const key = quoted(keyLabels(model)[column]!);
    const noun = name === "a" ? "weight" : scaled ? "scaled score" : "score";
    return `${noun} of key ${key} for query ${rowText}: ${(masks || name === "a") && !isVisible(head, row, column) ? "masked" : value}`;
  }
  const noun = { q: "query", k: "key", v: "value", o: "output" }[name];
  return `${noun} of ${rowText}, number ${column + 1}: ${value}`;
}

/** The arithmetic of a number at a step. */
export function cellArithmetic(
  model: LinkedMatricesModel,
  choices: LinkedMatricesChoices,
  cell: LinkedCell,
  step: number,
): Arithmetic {
  const { head, layer, index, model: traced } = chosenHead(model, choices);
  const { S, D } = headSizes(head);
  const { name, row, column } = cell;
  const keys = keyLabels(model);
  const value = cellValue(head, cell, step >= 2);
  if (name === "s") return score();
  if (name === "a") return weight();
  if (name === "o") return mixture();
  const letter = matrixSymbols[name];
  const made = ({ q: "query", k: "key", v: "value" } as const)[name];
  const next = {
    q: `It meets every key: its row of the scores.`,
    k: "Every query meets it: its column of the scores.",
    v: "It enters each output, times its weight: its column of the weights.",
  }[name];
  return {
    title: `The ${made} of ${rowName(model, cell)}: row ${row + 1} of ${letter}`,
    formula: `input row × W${name}, learned: ${traced.name}, layer ${layer}, head ${index}`,
    ...terms(
      [
        {
          name: made,
          values: range(D).map((d) => elementAt(matrixData(head, name, true), row, d)),
          color: made,
          home: (d) => `${name}:${row}:${d}`,
        },
      ],
      column,
    ),
    result: `Number ${column + 1} is ${fixed(value)}. ${next}`,
  };

  function score(): Arithmetic {
    const [q, k] = [
      range(D).map((d) => elementAt(head.query, row, d)),
      range(D).map((d) => elementAt(head.key, column, d)),
    ];
    const products = q.map((x, d) => x * k[d]!);
    const dot = elementAt(head.dots, row, column);
    const divisor = fixed(1 / head.scale);
    const hidden = !isVisible(head, row, column);
    const scaled = ` ${fixed(dot)} / ${divisor} ≈ ${fixed(elementAt(head.scores, row, column))}`;
    const [queryToken, keyToken] = [quoted(model.tokens[row]!), quoted(keys[column]!)];
    const table = terms([
      { name: `query of ${queryToken}`, values: q, color: "query", home: (d) => `q:${row}:${d}` },
      { name: `key of ${keyToken}`, values: k, color: "key", home: (d) => `k:${column}:${d}` },
      { name: "product", values: products, color: "weight" },
    ]);
    const sum = `Sum of ${termCount(D)} ${equalitySign(products, dot, 2)} ${fixed(dot)}`;
    return {
      title: `Score of key ${keyToken} for query ${queryToken}`,
      formula: ["q · k", step >= 2 ? "/ √d" : "", step >= 3 ? "+ mask" : ""].filter(Boolean).join(" "),
      ...table,
      result: result(),
    };

    function result(): string {
      if (step < 2) return `${sum}.`;
      if (step < 3) return `${sum};${scaled}.`;
      const masking = hidden
        ? `${queryToken} must not see ${keyToken}: −∞.`
        : `${queryToken} sees ${keyToken}: unchanged.`;
      return `${sum};${scaled}. ${masking}`;
    }
  }

  function weight(): Arithmetic {
    const visible = range(S).map((j) => isVisible(head, row, j));
    const scores = range(S).map((j) => (visible[j] ? elementAt(head.scores, row, j) : undefined));
    const max = Math.max(...scores.map((each) => each ?? -Infinity));
    const exps = scores.map((each) => (each === undefined ? 0 : Math.exp(each - max)));
    const total = exps.reduce((sum, each) => sum + each, 0);
    const [queryToken, keyToken] = [quoted(model.tokens[row]!), quoted(keys[column]!)];
    const table = terms(
      [
        { name: `scores of ${queryToken}`, values: scores, color: "weight", home: (j) => `s:${row}:${j}` },
        { name: "e^(score − largest)", values: exps, color: "weight" },
        {
          name: "divided by their sum",
          values: range(S).map((j) => elementAt(head.weights, row, j)),
          color: "weight",
          weight: true,
        },
      ],
      column,
      keys.map((key) => quoted(key)),
    );
    return {
      title: `Weight of key ${keyToken} for query ${queryToken}`,
      formula: "softmax of the row",
      ...table,
      result: visible[column]
        ? `${fixed(exps[column]!)} / ${fixed(total)} ≈ ${fixed(value)}. The row sums to 1.`
        : `${queryToken} must not see ${keyToken}: weight 0. The row sums to 1.`,
    };
  }

  function mixture(): Arithmetic {
    const weights = range(S).map((j) => elementAt(head.weights, row, j));
    const values = range(S).map((j) => elementAt(head.value, j, column));
    const products = weights.map((each, j) => each * values[j]!);
    const queryToken = quoted(model.tokens[row]!);
    const table = terms(
      [
        {
          name: `weights of ${queryToken}`,
          values: weights,
          color: "weight",
          weight: true,
          home: (j) => `a:${row}:${j}`,
        },
        {
          name: `number ${column + 1} of the values`,
          values,
          color: "value",
          home: (j) => `v:${j}:${column}`,
        },
        { name: "product", values: products, color: "value" },
      ],
      undefined,
      keys.map((key) => quoted(key)),
    );
    return {
      title: `Output of ${queryToken}, number ${column + 1}`,
      formula: "weights × values, added",
      ...table,
      result: `Sum of ${termCount(S)} ${equalitySign(products, value, 2)} ${fixed(value)}.`,
    };
  }
}

/** Rows of numbers: all terms, or, of many, those with the largest product, in order. */
function terms(
  rows: readonly TermRow[],
  current?: number,
  names?: readonly string[],
): { heads: string[]; rows: TermRow[] } {
  const last = rows.at(-1)!.values;
  const indices = range(last.length);
  const size = (i: number) => (i === current ? Infinity : Math.abs(last[i] ?? 0));
  const kept =
    indices.length <= maxTerms + 1
      ? indices
      : [...indices]
          .sort((a, b) => size(b) - size(a) || a - b)
          .slice(0, maxTerms)
          .sort((a, b) => a - b);
  return {
    heads: kept.map((i) => names?.[i] ?? String(i + 1)),
    rows: rows.map(({ values, home, ...row }) => ({
      ...row,
      values: kept.map((i) => values[i]),
      ...(home && { home: (term: number) => home(kept[term]!) }),
    })),
  };
}

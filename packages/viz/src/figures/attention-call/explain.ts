import type { Bench } from "./bench.js";
import {
  at,
  columns,
  isSeen,
  isSmall,
  matrixOf,
  quoted,
  range,
  rows,
  type AttentionCallModel,
  type MatrixName,
  type Spot,
} from "./model.js";
import { fixed } from "../fixed.js";

export const titles: Readonly<Record<MatrixName, string>> = {
  x: "x",
  wq: "Wq",
  wk: "Wk",
  wv: "Wv",
  q: "Q",
  k: "K",
  v: "V",
  s: "scores",
  a: "weights",
  o: "output",
};

/** Address of a cell, or of a whole row whose cells are too narrow to point at. */
export const addressOf = (name: MatrixName, row: number, column?: number): string =>
  column === undefined ? `${name}:${row}` : `${name}:${row}:${column}`;

/** Reads an address; one that the model does not have is nothing. */
export function spotOf(model: AttentionCallModel, address: string): Spot | undefined {
  const [name = "", row, column] = address.split(":");
  if (!(name in titles)) return undefined;
  const frame = matrixOf(model, name as MatrixName);
  const inside = (text: string | undefined, count: number) =>
    text !== undefined && /^\d+$/.test(text) && Number(text) < count;
  if (!frame || !inside(row, rows(frame))) return undefined;
  if (column === undefined) return { name: name as MatrixName, row: Number(row) };
  return inside(column, columns(frame))
    ? { name: name as MatrixName, row: Number(row), column: Number(column) }
    : undefined;
}

/** A cell in words, for screen readers and for hovering. */
export function reading(
  model: AttentionCallModel,
  { name, row = 0, column }: Spot,
  value: number | undefined,
  hatched: boolean,
): string {
  const { tokens, features, channels } = model;
  const t = quoted(tokens[row] ?? "");
  const of = (names: readonly string[] | undefined, c: number) => (names ? names[c]! : `column ${c}`);
  const word = { q: "query", k: "key", v: "value", x: "input", o: "output" }[name as string] ?? name;
  if (column === undefined) {
    const frame = matrixOf(model, name)!;
    const size = Math.sqrt(range(columns(frame)).reduce((sum, c) => sum + at(frame, row, c) ** 2, 0));
    return `${word} of ${t}: ${columns(frame)} numbers of length ${fixed(size)}`;
  }
  const number = hatched ? "masked" : fixed(value ?? 0);
  switch (name) {
    case "s":
      return `score of ${t} for ${quoted(tokens[column]!)}: ${number}`;
    case "a":
      return `weight of ${t} for ${quoted(tokens[column]!)}: ${number}`;
    case "x":
      return `input of ${t}, ${of(features, column)}: ${number}`;
    case "wq":
    case "wk":
    case "wv":
      return `${titles[name]}, from ${of(features, row)} to ${of(channels, column)}: ${number}`;
    default:
      return `${word} of ${t}, ${of(channels, column)}: ${number}`;
  }
}

/** The way that a number came to be: what it was made of, and the arithmetic. */
export function explain(
  model: AttentionCallModel,
  address: string,
  now: { masked: boolean; scaled: boolean },
): { lit: readonly Spot[]; bench: Bench } | undefined {
  const spot = spotOf(model, address);
  if (!spot) return undefined;
  const { name, row = 0, column } = spot;
  switch (name) {
    case "x":
      return { lit: [{ name, row }], bench: { kind: "input", row } };
    case "wq":
    case "wk":
    case "wv":
      return { lit: [spot], bench: { kind: "input", row: 0 } };
    case "q":
    case "k":
    case "v": {
      const made = matrixOf(model, `w${name}`);
      if (!made || column === undefined) {
        return {
          lit: [
            { name: "x", row },
            { name, row },
          ],
          bench: { kind: "projection", name, row },
        };
      }
      const of = { name, row, column };
      return {
        lit: [{ name: "x", row }, { name: `w${name}`, column }, of],
        bench: { kind: "dot", of, terms: columns(model.x), landed: columns(model.x) },
      };
    }
    case "s": {
      const of = { name, row, column: column! };
      const D = columns(model.query);
      return {
        lit: [{ name: "q", row }, { name: "k", row: column! }, of],
        bench: {
          kind: "dot",
          of,
          terms: D,
          landed: D,
          ...(now.scaled && { scaled: true }),
          ...(now.masked && !isSeen(model, row, column!) && { masked: true }),
        },
      };
    }
    case "a":
      return {
        lit: [
          { name: "s", row },
          { name, row, column: column! },
        ],
        bench: { kind: "softmax", row, scale: 1, mask: 1, exp: 1, share: 1, current: column! },
      };
    case "o": {
      const shares = range(rows(model.value)).map((j) => (isSeen(model, row, j) ? 1 : 0));
      if (!isSmall(model) || column === undefined) {
        return {
          lit: [{ name: "a", row }, { name: "v" }, { name, row }],
          bench: { kind: "mixture", row, shares },
        };
      }
      const of = { name, row, column };
      const T = rows(model.value);
      return {
        lit: [{ name: "a", row }, { name: "v", column }, of],
        bench: { kind: "dot", of, terms: T, landed: T },
      };
    }
  }
}

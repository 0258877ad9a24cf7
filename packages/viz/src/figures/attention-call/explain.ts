import type { Arithmetic } from "./arithmetic.js";
import {
  elementAt,
  columns,
  isSeen,
  fitsNumbers,
  matrixByName,
  quoted,
  range,
  rows,
  type AttentionCallModel,
  type MatrixName,
  type MatrixRegion,
} from "./model.js";
import { fixed } from "../fixed.js";

/** Names of the matrices as they are drawn. */
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

/** Address of a cell, or of a row if its cells are too narrow to point at. */
export const cellAddress = (name: MatrixName, row: number, column?: number): string =>
  column === undefined ? `${name}:${row}` : `${name}:${row}:${column}`;

/** The cell or row of an address, or undefined if the model has none there. */
export function parseAddress(model: AttentionCallModel, address: string): MatrixRegion | undefined {
  const [name = "", row, column] = address.split(":");
  if (!(name in titles)) return undefined;
  const frame = matrixByName(model, name as MatrixName);
  const inside = (text: string | undefined, count: number) =>
    text !== undefined && /^\d+$/.test(text) && Number(text) < count;
  if (!frame || !inside(row, rows(frame))) return undefined;
  if (column === undefined) return { name: name as MatrixName, row: Number(row) };
  return inside(column, columns(frame))
    ? { name: name as MatrixName, row: Number(row), column: Number(column) }
    : undefined;
}

/** A cell in words, for screen readers and the tooltip. */
export function cellText(
  model: AttentionCallModel,
  { name, row = 0, column }: MatrixRegion,
  value: number | undefined,
  hatched: boolean,
): string {
  const { tokens, features, channels } = model;
  const t = quoted(tokens[row] ?? "");
  const columnName = (names: readonly string[] | undefined, c: number) => (names ? names[c]! : `column ${c}`);
  const word = { q: "query", k: "key", v: "value", x: "input", o: "output" }[name as string] ?? name;
  if (column === undefined) {
    const frame = matrixByName(model, name)!;
    const size = Math.sqrt(range(columns(frame)).reduce((sum, c) => sum + elementAt(frame, row, c) ** 2, 0));
    return `${word} of ${t}: ${columns(frame)} numbers of length ${fixed(size)}`;
  }
  const number = hatched ? "masked" : fixed(value ?? 0);
  switch (name) {
    case "s":
      return `score of ${t} for ${quoted(tokens[column]!)}: ${number}`;
    case "a":
      return `weight of ${t} for ${quoted(tokens[column]!)}: ${number}`;
    case "x":
      return `input of ${t}, ${columnName(features, column)}: ${number}`;
    case "wq":
    case "wk":
    case "wv":
      return `${titles[name]}, from ${columnName(features, row)} to ${columnName(channels, column)}: ${number}`;
    default:
      return `${word} of ${t}, ${columnName(channels, column)}: ${number}`;
  }
}

/** The operands of a number, which are lit, and its arithmetic. */
export function explainCell(
  model: AttentionCallModel,
  address: string,
  now: { masked: boolean; scaled: boolean },
): { lit: readonly MatrixRegion[]; arithmetic: Arithmetic } | undefined {
  const region = parseAddress(model, address);
  if (!region) return undefined;
  const { name, row = 0, column } = region;
  switch (name) {
    case "x":
      return { lit: [{ name, row }], arithmetic: { kind: "input", row } };
    case "wq":
    case "wk":
    case "wv":
      return { lit: [region], arithmetic: { kind: "input", row: 0 } };
    case "q":
    case "k":
    case "v": {
      const made = matrixByName(model, `w${name}`);
      if (!made || column === undefined) {
        return {
          lit: [
            { name: "x", row },
            { name, row },
          ],
          arithmetic: { kind: "projection", name, row },
        };
      }
      const result = { name, row, column };
      return {
        lit: [{ name: "x", row }, { name: `w${name}`, column }, result],
        arithmetic: { kind: "dot", result, terms: columns(model.x), landed: columns(model.x) },
      };
    }
    case "s": {
      const result = { name, row, column: column! };
      const D = columns(model.query);
      return {
        lit: [{ name: "q", row }, { name: "k", row: column! }, result],
        arithmetic: {
          kind: "dot",
          result,
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
        arithmetic: { kind: "softmax", row, scale: 1, mask: 1, exp: 1, share: 1, current: column! },
      };
    case "o": {
      const shares = range(rows(model.value)).map((j) => (isSeen(model, row, j) ? 1 : 0));
      if (!fitsNumbers(model) || column === undefined) {
        return {
          lit: [{ name: "a", row }, { name: "v" }, { name, row }],
          arithmetic: { kind: "mixture", row, shares },
        };
      }
      const result = { name, row, column };
      const T = rows(model.value);
      return {
        lit: [{ name: "a", row }, { name: "v", column }, result],
        arithmetic: { kind: "dot", result, terms: T, landed: T },
      };
    }
  }
}

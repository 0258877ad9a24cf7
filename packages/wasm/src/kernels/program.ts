import { sizeOf, type View } from "@qkv/tensor";
import {
  operandsOf,
  type Expr,
  type Expression,
  type OperationName,
  type SymbolName,
} from "@qkv/attention-contract";
import { level, programWords, stepCode, stepWords } from "../binaries/layout.js";
import { isPacked } from "./packed.js";

const codes: Readonly<
  Record<
    OperationName | SymbolName | "number" | "index" | "lookup" | "dropoutQueries" | "dropoutMask",
    number
  >
> = stepCode;

/** Level of a step: 0 is evaluated once per head, 1 once per row of queries, 2 for each score. */
type Level = 0 | 1 | 2;

type Line = {
  op: number;
  level: Level;
  /** True if the step depends on the score or on a table, so that it has a gradient. */
  active: boolean;
  registers?: readonly number[];
  /** Further integers of the step: i, j, k. */
  words?: readonly number[];
  value?: number;
};

/** A program, before the addresses of its tables are known. */
export type Program = {
  /** The program in 32-bit words, for the addresses of the expression's tables. */
  words(tables: readonly number[]): Uint32Array;
  /** Length of each table. */
  readonly tableSizes: readonly number[];
};

/**
 * Compiles an expression to a list of steps for the kernels. Undefined if they do not support one of its steps: a JavaScript
 * function, or a table that is not contiguous float32.
 */
export function compileProgram({ steps, lookedUp, tables }: Expression<View>): Program | undefined {
  if (!tables.every((table) => isPacked(table))) return undefined;
  const lines: Line[] = [];
  const registerByExpr = new Map<Expr, number>();
  const sizes = lookedUp.map(({ shape }) => sizeOf(shape));
  const starts = sizes.map((_, i) => sizes.slice(0, i).reduce((a, b) => a + b, 0));
  const add = (line: Line): number => lines.push(line) - 1;
  const multiply = (both: readonly number[]) => add({ op: codes.mul, ...combined(both) });
  const combined = (registers: readonly number[]) => ({
    level: Math.max(0, ...registers.map((r) => lines[r]!.level)) as Level,
    active: registers.some((r) => lines[r]!.active),
    registers,
  });
  for (const expr of steps) {
    const { step } = expr;
    const registers = operandsOf(step).map((operand) => registerByExpr.get(operand)!);
    const from = combined(registers);
    let line: number;
    switch (step.kind) {
      case "symbol":
        line = add({
          op: codes[step.name],
          level:
            step.name === "score" || step.name === "key"
              ? level.score
              : step.name === "query"
                ? level.query
                : level.head,
          active: step.name === "score",
        });
        break;
      case "number":
        line = add({ op: codes.number, level: 0, active: false, value: step.value });
        break;
      case "operation":
        line =
          (step.name === "pow" ? power(step.operands[1]!, registers[0]!, multiply) : undefined) ??
          add({ op: codes[step.name], ...from });
        break;
      case "lookup": {
        // Indices of the lowest level come first, so that their offsets are computed once.
        const { shape } = step.table;
        const axes = registers.map((register, axis) => ({ register, axis }));
        axes.sort((a, b) => lines[a.register]!.level - lines[b.register]!.level);
        // Register with the offset in the table so far; -1 before the first index.
        let offset = -1;
        for (const { register, axis } of axes) {
          const stride = sizeOf(shape.slice(axis + 1));
          const { level } = combined(offset < 0 ? [register] : [register, offset]);
          const words = [shape[axis]! - 1, stride];
          offset = add({ op: codes.index, level, active: false, registers: [register, offset], words });
        }
        if (offset < 0) {
          const zero = add({ op: codes.number, level: 0, active: false, value: 0 });
          offset = add({ op: codes.index, level: 0, active: false, registers: [zero, -1], words: [0, 0] });
        }
        const table = lookedUp.indexOf(step.table);
        const { level } = lines[offset]!;
        line = add({
          op: codes.lookup,
          level,
          active: true,
          registers: [offset],
          words: [table, starts[table]!],
        });
        break;
      }
      case "dropoutMask": {
        const { rate, seed } = step;
        const words = [seed >>> 0, Math.ceil(rate * 2 ** 32) >>> 0, Math.floor(seed / 2 ** 32) >>> 0];
        const [batch, head, query, key] = registers as [number, number, number, number];
        // The Philox products that depend on the head and the query, but not on the key: computed once per row of queries.
        const queries = add({ op: codes.dropoutQueries, ...combined([batch, head, query]), words });
        line = add({
          op: codes.dropoutMask,
          ...combined([batch, head, queries, key]),
          active: false,
          words,
          value: 1 / (1 - rate),
        });
        break;
      }
      case "call":
        return undefined;
    }
    registerByExpr.set(expr, line);
  }
  return {
    tableSizes: sizes,
    words(pointers) {
      const words = programWords({ count: lines.length, tableSize: sizes.reduce((a, b) => a + b, 0) });
      for (const { op, level, active, registers = [], words: own = [], value = 0 } of lines) {
        const [i = 0, j = 0, k = 0] = own;
        const [a = 0, b = 0, c = 0, d = 0] = registers;
        const first = op === codes.lookup ? pointers[i]! : i;
        words.push(
          ...stepWords({ op, level, active: active ? 1 : 0, a, b, c, d, i: first, j, k, number: value }),
        );
      }
      return Uint32Array.from(words);
    },
  };
}

/** A power with an exponent of 2, 3 or 4 as products; undefined for other exponents. */
function power(
  exponent: Expr,
  base: number,
  multiply: (registers: readonly number[]) => number,
): number | undefined {
  const value = exponent.step.kind === "number" ? exponent.step.value : undefined;
  if (value !== 2 && value !== 3 && value !== 4) return undefined;
  const square = multiply([base, base]);
  return value === 2 ? square : multiply([square, value === 3 ? base : square]);
}

import { sizeOf, type View } from "@qkv/tensor";
import {
  operandsOf,
  type Expr,
  type Expression,
  type OperationName,
  type SymbolName,
} from "@qkv/attention-contract";
import { level, programWords, stepCode, stepWords } from "../binaries/layout.js";
import { isContiguousView } from "./contiguous-view.js";

const codes: Readonly<
  Record<
    OperationName | SymbolName | "number" | "index" | "lookup" | "dropoutQueries" | "dropoutMask",
    number
  >
> = stepCode;

/** Level of a step: 0 is evaluated once per head, 1 once per row of queries, 2 for each score. */
type Level = 0 | 1 | 2;

type CompiledStep = {
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
  if (!tables.every((table) => isContiguousView(table))) return undefined;
  const compiled: CompiledStep[] = [];
  const registerByExpr = new Map<Expr, number>();
  const sizes = lookedUp.map(({ shape }) => sizeOf(shape));
  const starts = sizes.map((_, i) => sizes.slice(0, i).reduce((a, b) => a + b, 0));
  /** Appends a step, and returns its register. */
  const emit = (compiledStep: CompiledStep): number => compiled.push(compiledStep) - 1;
  const multiply = (factors: readonly number[]) => emit({ op: codes.mul, ...combinedTraits(factors) });
  const combinedTraits = (registers: readonly number[]) => ({
    level: Math.max(0, ...registers.map((r) => compiled[r]!.level)) as Level,
    active: registers.some((r) => compiled[r]!.active),
    registers,
  });
  for (const expr of steps) {
    const { step } = expr;
    const registers = operandsOf(step).map((operand) => registerByExpr.get(operand)!);
    const operandTraits = combinedTraits(registers);
    let result: number;
    switch (step.kind) {
      case "symbol":
        result = emit({
          op: codes[step.name],
          level: symbolLevel(step.name),
          active: step.name === "score",
        });
        break;
      case "number":
        result = emit({ op: codes.number, level: 0, active: false, value: step.value });
        break;
      case "operation":
        result =
          (step.name === "pow" ? power(step.operands[1]!, registers[0]!, multiply) : undefined) ??
          emit({ op: codes[step.name], ...operandTraits });
        break;
      case "lookup": {
        // Indices of the lowest level come first, so that their offsets are computed once.
        const { shape } = step.table;
        const axes = registers.map((register, axis) => ({ register, axis }));
        axes.sort((a, b) => compiled[a.register]!.level - compiled[b.register]!.level);
        // Register with the offset in the table so far; -1 before the first index.
        let offset = -1;
        for (const { register, axis } of axes) {
          const stride = sizeOf(shape.slice(axis + 1));
          const { level } = combinedTraits(offset < 0 ? [register] : [register, offset]);
          const words = [shape[axis]! - 1, stride];
          offset = emit({ op: codes.index, level, active: false, registers: [register, offset], words });
        }
        if (offset < 0) {
          const zero = emit({ op: codes.number, level: 0, active: false, value: 0 });
          offset = emit({ op: codes.index, level: 0, active: false, registers: [zero, -1], words: [0, 0] });
        }
        const table = lookedUp.indexOf(step.table);
        const { level } = compiled[offset]!;
        result = emit({
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
        const queries = emit({ op: codes.dropoutQueries, ...combinedTraits([batch, head, query]), words });
        result = emit({
          op: codes.dropoutMask,
          ...combinedTraits([batch, head, queries, key]),
          active: false,
          words,
          value: 1 / (1 - rate),
        });
        break;
      }
      case "call":
        return undefined;
    }
    registerByExpr.set(expr, result);
  }
  return {
    tableSizes: sizes,
    words(pointers) {
      const words = programWords({ count: compiled.length, tableSize: sizes.reduce((a, b) => a + b, 0) });
      for (const { op, level, active, registers = [], words: integers = [], value = 0 } of compiled) {
        const [i = 0, j = 0, k = 0] = integers;
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

/** Level of a symbol: scores and keys differ for each score of a row, queries for each row. */
function symbolLevel(name: SymbolName): Level {
  if (name === "score" || name === "key") return level.score;
  return name === "query" ? level.query : level.head;
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

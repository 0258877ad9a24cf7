import type { View } from "@qkv/tensor";
import { operandsOf, type Expr, type Expression, type OperationName } from "@qkv/attention-contract";
import { isPacked } from "./packed.js";

/** Numbers of the steps, as assembly/expression.ts and micro-kernels.mjs know them. */
const symbols = { score: 0, batch: 2, head: 3, query: 4, key: 5 } as const;
const [number, index, lookup, keep] = [1, 7, 8, 9];
const operationCodes: { readonly [Name in OperationName]: number } = {
  where: 6,
  pow: 10,
  neg: 16,
  abs: 17,
  exp: 18,
  log: 19,
  tanh: 20,
  sqrt: 21,
  floor: 22,
  not: 23,
  add: 32,
  sub: 33,
  mul: 34,
  div: 35,
  min: 36,
  max: 37,
  less: 38,
  lessEqual: 39,
  greater: 40,
  greaterEqual: 41,
  equal: 42,
  and: 43,
  or: 44,
};

/** Steps that are the same for all keys of a head, of a query, and the others. */
type Level = 0 | 1 | 2;

type Line = {
  op: number;
  level: Level;
  /** True if it depends on the score or on a table, so that a gradient flows through it. */
  active: boolean;
  registers?: readonly number[];
  /** Whole numbers of its own: i, j, k. */
  words?: readonly number[];
  value?: number;
};

/** A program, before the addresses of its tables are known. */
export type Program = {
  /** 32-bit words, given where each table of the expression begins. */
  words(tables: readonly number[]): Uint32Array;
  /** For each table, the number of its numbers. */
  readonly tableSizes: readonly number[];
};

/**
 * An expression as a list of steps for the kernels, or undefined where they lack one: any function of numbers, or a table
 * that is not float32 in row-major order.
 */
export function programOf({ steps, lookedUp, tables }: Expression<View>): Program | undefined {
  if (!tables.every((table) => isPacked(table))) return undefined;
  const lines: Line[] = [];
  const placeOf = new Map<Expr, number>();
  const sizes = lookedUp.map(({ shape }) => shape.reduce((a, b) => a * b, 1));
  const starts = sizes.map((_, i) => sizes.slice(0, i).reduce((a, b) => a + b, 0));
  const add = (line: Line): number => lines.push(line) - 1;
  const multiply = (both: readonly number[]) => add({ op: operationCodes.mul, ...combined(both) });
  const combined = (registers: readonly number[]) => ({
    level: Math.max(0, ...registers.map((r) => lines[r]!.level)) as Level,
    active: registers.some((r) => lines[r]!.active),
    registers,
  });
  for (const expr of steps) {
    const { step } = expr;
    const registers = operandsOf(step).map((operand) => placeOf.get(operand)!);
    const from = combined(registers);
    let line: number;
    switch (step.kind) {
      case "symbol":
        line = add({
          op: symbols[step.name],
          level: step.name === "score" || step.name === "key" ? 2 : step.name === "query" ? 1 : 0,
          active: step.name === "score",
        });
        break;
      case "number":
        line = add({ op: number, level: 0, active: false, value: step.value });
        break;
      case "operation":
        line =
          (step.name === "pow" ? power(step.operands[1]!, registers[0]!, multiply) : undefined) ??
          add({ op: operationCodes[step.name], ...from });
        break;
      case "lookup": {
        // Axes that change least come first: what they add up to is computed once.
        const { shape } = step.table;
        const axes = registers.map((register, axis) => ({ register, axis }));
        axes.sort((a, b) => lines[a.register]!.level - lines[b.register]!.level);
        let places = -1;
        for (const { register, axis } of axes) {
          const stride = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
          const { level } = combined(places < 0 ? [register] : [register, places]);
          const words = [shape[axis]! - 1, stride];
          places = add({ op: index, level, active: false, registers: [register, places], words });
        }
        if (places < 0) {
          const zero = add({ op: number, level: 0, active: false, value: 0 });
          places = add({ op: index, level: 0, active: false, registers: [zero, -1], words: [0, 0] });
        }
        const table = lookedUp.indexOf(step.table);
        const { level } = lines[places]!;
        line = add({ op: lookup, level, active: true, registers: [places], words: [table, starts[table]!] });
        break;
      }
      case "keep": {
        const { rate, seed } = step;
        const words = [seed >>> 0, Math.ceil(rate * 2 ** 32) >>> 0, Math.floor(seed / 2 ** 32) >>> 0];
        line = add({ op: keep, ...from, active: false, words, value: 1 / (1 - rate) });
        break;
      }
      case "call":
        return undefined;
    }
    placeOf.set(expr, line);
  }
  return {
    tableSizes: sizes,
    words(pointers) {
      const words = new Uint32Array(2 + 12 * lines.length);
      const floats = new Float32Array(words.buffer);
      words.set([lines.length, sizes.reduce((a, b) => a + b, 0)]);
      lines.forEach(({ op, level, active, registers = [], words: own = [], value = 0 }, n) => {
        const [i = 0, j = 0, k = 0] = own;
        const [a = 0, b = 0, c = 0, d = 0] = registers;
        const at = 2 + 12 * n;
        words.set([op, level, active ? 1 : 0, a, b, c, d, op === lookup ? pointers[i]! : i, j, k], at);
        floats[at + 10] = value;
      });
      return words;
    },
  };
}

/** A power with a whole exponent from 2 to 4 as products; undefined for others. */
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

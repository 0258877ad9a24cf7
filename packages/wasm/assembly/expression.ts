// Score expressions as lists of steps, evaluated on a strip of a tile: 8 keys by 64 queries, with queries in lanes. A step reads
// registers and writes one; a register is a strip of float32. Steps that depend on the head alone, or on the head and the query,
// are evaluated once per head or per row of queries: that is their level.
import { dropoutMask, dropoutQueries } from "./dropout-mask";
import { zero } from "./lanes";
import { FIRST_BINARY, FIRST_UNARY, Program, Step, StepCode } from "./layout";
import { binaryStep, firstSlope, secondSlope, unarySlope, unaryStep } from "./micro-kernels";
import { ROW } from "./strip";

/** Number of keys of a strip, and bytes of a register. */
export const STRIP: i32 = 8;
const REGISTER: usize = 2048;

const STEP: usize = offsetof<Step>();

@inline
function stepAt(program: usize, n: i32): Step {
  return changetype<Step>(program + offsetof<Program>() + <usize>n * STEP);
}
@inline
function register(registers: usize, n: i32): usize {
  return registers + <usize>n * REGISTER;
}

/** Bytes of the registers of a program; twice as many with gradients. */
export function registerBytes(program: usize, gradients: bool): usize {
  if (program == 0) return 0;
  const count = <usize>changetype<Program>(program).count;
  return count * REGISTER * (gradients ? 2 : 1);
}

export function tableNumbers(program: usize): i32 {
  return program == 0 ? 0 : changetype<Program>(program).tableSize;
}

/** Address of the result of `runSteps`. */
@inline
export function resultRegister(program: usize, registers: usize): usize {
  return register(registers, changetype<Program>(program).count - 1);
}

/** True for a program that multiplies the score by a factor without a gradient, such as dropout. */
export function scalesScore(program: usize): bool {
  return program != 0 && factorRegister(program) >= 0;
}

/** Register of that factor; -1 for other programs. */
function factorRegister(program: usize): i32 {
  const last = stepAt(program, changetype<Program>(program).count - 1);
  if (last.op != StepCode.mul) return -1;
  const a = stepAt(program, last.a);
  const b = stepAt(program, last.b);
  if (a.op == StepCode.score && !b.active) return last.b;
  return b.op == StepCode.score && !a.active ? last.a : -1;
}

/**
 * Evaluates the steps of one level.
 *
 * @param score - Strip of scores, the input of the expression.
 * @param keys - Positions of the strip's keys, as float32.
 */
export function runSteps(
  program: usize,
  registers: usize,
  level: i32,
  score: usize,
  batch: i32,
  head: i32,
  query: i32,
  keys: usize,
  rows: i32,
  bytes: usize,
): void {
  const count = changetype<Program>(program).count;
  for (let n = 0; n < count; n++) {
    const step = stepAt(program, n);
    if (step.level != level) continue;
    const to = register(registers, n);
    const op = step.op;
    if (op >= FIRST_BINARY) {
      binaryStep(op, to, register(registers, step.a), register(registers, step.b), rows, bytes);
    } else if (op >= FIRST_UNARY) {
      unaryStep(op, to, register(registers, step.a), rows, bytes);
    } else if (op == StepCode.score) {
      copyRows(to, score, rows, bytes);
    } else if (op == StepCode.number) {
      fill(to, step.number, rows, bytes);
    } else if (op == StepCode.batch) {
      fill(to, <f32>batch, rows, bytes);
    } else if (op == StepCode.head) {
      fill(to, <f32>head, rows, bytes);
    } else if (op == StepCode.query) {
      for (let r: usize = 0; r < <usize>rows * ROW; r += ROW) {
        for (let i = 0; i < <i32>(bytes >> 2); i++) store<f32>(to + r + ((<usize>i) << 2), <f32>(query + i));
      }
    } else if (op == StepCode.key) {
      for (let r = 0; r < rows; r++) fill(to + <usize>r * ROW, load<f32>(keys + ((<usize>r) << 2)), 1, bytes);
    } else if (op == StepCode.where) {
      choose(
        to,
        register(registers, step.a),
        register(registers, step.b),
        register(registers, step.c),
        rows,
        bytes,
      );
    } else if (op == StepCode.index) {
      addOffsets(step, to, registers, rows, bytes);
    } else if (op == StepCode.lookup) {
      lookUp(<usize>step.i, to, register(registers, step.a), rows, bytes);
    } else if (op == StepCode.dropoutQueries) {
      dropoutQueries(to, register(registers, step.b), register(registers, step.c), step.i);
    } else if (op == StepCode.dropoutMask) {
      dropoutMask(
        to,
        register(registers, step.a),
        register(registers, step.b),
        register(registers, step.c),
        register(registers, step.d),
        step.i,
        step.k,
        step.j,
        step.number,
        rows,
        bytes,
      );
    } else if (op == StepCode.pow) {
      power(to, register(registers, step.a), register(registers, step.b), rows, bytes);
    }
  }
}

/**
 * Backpropagates through the steps, after `runSteps`, from the gradient of the result to that of the score. Gradients of registers
 * are stored after the registers.
 *
 * @param slope - Strip of gradients: of the result before, of the score after the call.
 * @param tables - float64 sums of the gradients of lookup tables; 0: not computed.
 * @param lanes - Number of queries in the strip.
 */
export function backwardSteps(
  program: usize,
  registers: usize,
  slope: usize,
  tables: usize,
  rows: i32,
  bytes: usize,
  lanes: i32,
): void {
  const factor = factorRegister(program);
  if (factor >= 0) return binaryStep(StepCode.mul, slope, slope, register(registers, factor), rows, bytes);
  const count = changetype<Program>(program).count;
  const slopes = registers + <usize>count * REGISTER;
  for (let n = 0; n < count; n++) {
    if (stepAt(program, n).active) memory.fill(register(slopes, n), 0, <usize>(rows - 1) * ROW + bytes);
  }
  const last = register(slopes, count - 1);
  for (let r: usize = 0; r < <usize>rows * ROW; r += ROW) {
    memory.copy(last + r, slope + r, bytes);
    memory.fill(slope + r, 0, bytes);
  }
  for (let n = count - 1; n >= 0; n--) {
    const step = stepAt(program, n);
    if (!step.active) continue;
    const op = step.op;
    const dy = register(slopes, n);
    if (op >= FIRST_BINARY) {
      const first = register(registers, step.a);
      const second = register(registers, step.b);
      const a = stepAt(program, step.a).active;
      const b = stepAt(program, step.b).active;
      if (a) firstSlope(op, register(slopes, step.a), dy, first, second, rows, bytes);
      if (b) secondSlope(op, register(slopes, step.b), dy, first, second, rows, bytes);
    } else if (op >= FIRST_UNARY) {
      const x = register(registers, step.a);
      const y = register(registers, n);
      unarySlope(op, register(slopes, step.a), dy, x, y, rows, bytes);
    } else if (op == StepCode.score) {
      for (let r: usize = 0; r < <usize>rows * ROW; r += ROW) {
        for (let i = r; i < r + bytes; i += 16) {
          v128.store(slope + i, f32x4.add(v128.load(slope + i), v128.load(dy + i)));
        }
      }
    } else if (op == StepCode.where) {
      const condition = register(registers, step.a);
      const da = register(slopes, step.b);
      const db = register(slopes, step.c);
      for (let r: usize = 0; r < <usize>rows * ROW; r += ROW) {
        for (let i = r; i < r + bytes; i += 16) {
          const second = f32x4.eq(v128.load(condition + i), zero());
          const d = v128.load(dy + i);
          v128.store(da + i, f32x4.add(v128.load(da + i), v128.andnot(d, second)));
          v128.store(db + i, f32x4.add(v128.load(db + i), v128.and(d, second)));
        }
      }
    } else if (op == StepCode.lookup && tables != 0) {
      const offsets = register(registers, step.a);
      const to = tables + ((<usize>step.j) << 3);
      for (let r: usize = 0; r < <usize>rows * ROW; r += ROW) {
        for (let i = r; i < r + ((<usize>lanes) << 2); i += 4) {
          const at = to + ((<usize>load<i32>(offsets + i)) << 3);
          store<f64>(at, load<f64>(at) + <f64>load<f32>(dy + i));
        }
      }
    } else if (op == StepCode.pow) {
      const a = register(registers, step.a);
      const b = register(registers, step.b);
      powerSlope(register(slopes, step.a), register(slopes, step.b), dy, a, b, rows, bytes);
    }
  }
}

function copyRows(to: usize, from: usize, rows: i32, bytes: usize): void {
  for (let r: usize = 0; r < <usize>rows * ROW; r += ROW) {
    for (let i = r; i < r + bytes; i += 16) v128.store(to + i, v128.load(from + i));
  }
}

function fill(to: usize, value: f32, rows: i32, bytes: usize): void {
  const splat = f32x4.splat(value);
  for (let r: usize = 0; r < <usize>rows * ROW; r += ROW) {
    for (let i = r; i < r + bytes; i += 16) v128.store(to + i, splat);
  }
}

function choose(to: usize, condition: usize, a: usize, b: usize, rows: i32, bytes: usize): void {
  for (let r: usize = 0; r < <usize>rows * ROW; r += ROW) {
    for (let i = r; i < r + bytes; i += 16) {
      const second = f32x4.eq(v128.load(condition + i), zero());
      v128.store(to + i, v128.bitselect(v128.load(b + i), v128.load(a + i), second));
    }
  }
}

/** a to the power of b for each number. A result is reused while both operands stay the same. */
function power(to: usize, first: usize, second: usize, rows: i32, bytes: usize): void {
  let a: f32 = 1;
  let b: f32 = 1;
  let result: f32 = 1;
  for (let r: usize = 0; r < <usize>rows * ROW; r += ROW) {
    for (let i = r; i < r + bytes; i += 4) {
      const base = load<f32>(first + i);
      const exponent = load<f32>(second + i);
      if (base != a || exponent != b) result = <f32>NativeMath.pow(<f64>base, <f64>exponent);
      a = base;
      b = exponent;
      store<f32>(to + i, result);
    }
  }
}

function powerSlope(
  da: usize,
  db: usize,
  dy: usize,
  first: usize,
  second: usize,
  rows: i32,
  bytes: usize,
): void {
  for (let r: usize = 0; r < <usize>rows * ROW; r += ROW) {
    for (let i = r; i < r + bytes; i += 4) {
      const slope = <f64>load<f32>(dy + i);
      if (slope == 0) continue;
      const a = <f64>load<f32>(first + i);
      const b = <f64>load<f32>(second + i);
      store<f32>(da + i, load<f32>(da + i) + <f32>(slope * b * NativeMath.pow(a, b - 1)));
      if (a > 0)
        store<f32>(db + i, load<f32>(db + i) + <f32>(slope * NativeMath.pow(a, b) * NativeMath.log(a)));
    }
  }
}

/** One axis of a lookup: offsets of the axes before (register b, none if negative) + stride j · index, clamped to 0 … i. */
function addOffsets(step: Step, to: usize, registers: usize, rows: i32, bytes: usize): void {
  const index = register(registers, step.a);
  const isFirstIndex = step.b < 0;
  const before = register(registers, isFirstIndex ? step.a : step.b);
  const last = i32x4.splat(step.i);
  const stride = i32x4.splat(step.j);
  for (let r: usize = 0; r < <usize>rows * ROW; r += ROW) {
    for (let i = r; i < r + bytes; i += 16) {
      const integer = i32x4.trunc_sat_f32x4_s(v128.load(index + i));
      const offset = i32x4.mul(i32x4.min_s(i32x4.max_s(integer, i32x4.splat(0)), last), stride);
      v128.store(to + i, isFirstIndex ? offset : i32x4.add(offset, v128.load(before + i)));
    }
  }
}

function lookUp(table: usize, to: usize, offsets: usize, rows: i32, bytes: usize): void {
  for (let r: usize = 0; r < <usize>rows * ROW; r += ROW) {
    for (let i = r; i < r + bytes; i += 4) {
      store<f32>(to + i, load<f32>(table + ((<usize>load<i32>(offsets + i)) << 2)));
    }
  }
}

import * as jinja from "@huggingface/jinja";
import { strftime } from "./strftime.js";
import { isContainer, ownLength, valueSizes, type Value } from "./value-size.js";
import { valueUses, type Statement, type Use } from "./value-uses.js";

type Scope = { set(name: string, value: unknown): unknown; lookupVariable(name: string): Value };
type Run = {
  evaluate(statement: Statement | undefined, scope: Scope): Value;
  evaluateBlock(statements: readonly Statement[], scope: Scope): Value;
  applyFilter(operand: Value, filter: Statement, scope: Scope): Value;
  run(program: object): Value;
};

/** A parsed template. */
export type Program = { readonly tree: object; readonly uses: ReadonlyMap<object, Use> };

// The used parts of @huggingface/jinja: its own types name files without their endings, which Node's resolution does not find.
const { Environment, Interpreter, parse, tokenize } = jinja as unknown as {
  Environment: new () => Scope;
  Interpreter: new (scope: Scope) => Run;
  tokenize(source: string, options: { lstrip_blocks: boolean; trim_blocks: boolean }): unknown;
  parse(tokens: unknown): object;
};

/**
 * Limits: steps and numbers in ranges (real templates need some hundred per message), and
 * characters and items that are created, read and compared (real templates copy each text some ten times).
 */
const maxSteps = (messages: number) => 200_000 + 5000 * messages;
const maxCreated = (inputSize: number) => 2 ** 23 + 64 * inputSize;

/** Expressions that do not create a new value. */
const existingValues = new Set([
  "Identifier",
  "StringLiteral",
  "IntegerLiteral",
  "FloatLiteral",
  "MemberExpression",
]);
const isExistingValue = ({ type, property }: Statement) =>
  existingValues.has(type) && property?.type !== "SliceExpression";

/** Maximum run of white space: the pattern of @huggingface/jinja for it takes quadratic time. */
const maxSpaceLength = 1000;

/** Parses a template, with `trim_blocks` and `lstrip_blocks` as in transformers. */
export function parseTemplate(source: string): Program {
  if (source.split(/\S+/).some(({ length }) => length > maxSpaceLength))
    throw new Error(`more than ${maxSpaceLength} characters of white space in a row`);
  const tree = parse(tokenize(source, { lstrip_blocks: true, trim_blocks: true }));
  return { tree, uses: valueUses(tree) };
}

/** Runs a template with access to the given variables only, for a bounded number of steps. */
export function renderBounded(
  { tree, uses }: Program,
  variables: Readonly<Record<string, unknown>>,
  now: Date,
): string {
  const { messages } = variables;
  const limit = maxSteps(Array.isArray(messages) ? messages.length : 0);
  let [steps, created, maxSize] = [0, 0, Infinity];
  const countSteps = (count: number) => {
    steps += count;
    if (!(steps <= limit)) throw new Error(`it takes more than ${limit} steps`);
  };
  /** Refuses values that would exceed the limit, before they are created. */
  const checkSize = (size: number) => {
    if (!(created + size <= maxSize))
      throw new Error(`it makes or compares texts and lists of more than ${maxSize} characters`);
  };
  const countSize = (size: number) => {
    checkSize(size);
    created += size;
  };
  const { measure, changed } = valueSizes(countSteps);
  const valueSize = (value: Value) => measure(value).size;

  /** Operands of the current expression: the left one, and the factor by which a text grows. */
  type Operands = { left: Value; grow: (times: number) => void; times: number };
  const operands: Operands[] = [];
  const withOperands = <T>(grow: Operands["grow"], evaluate: () => T): T => {
    operands.push({ left: undefinedValue, grow, times: 1 });
    try {
      return evaluate();
    } finally {
      operands.pop();
    }
  };
  const countUse = (use: Use, value: Value): void => {
    const current = operands.at(-1);
    switch (use) {
      case "items":
        return countSteps(ownLength(value));
      case "characters":
        return countSize(ownLength(value));
      case "written":
        if (isContainer(value)) countSize(valueSize(value));
        return;
      case "left":
        current!.left = value;
        return;
      case "equal":
        return countSize(equalityCost(current!.left, value, valueSize));
      case "member":
        return countSize(membershipCost(current!.left, value));
      case "argument":
        current!.times = Math.max(
          current!.times,
          typeof value.value === "number" ? value.value : valueSize(value),
        );
        return current!.grow(current!.times);
      case "grown":
        countSize(ownLength(value) * Math.ceil(current!.times / maxNeedleLength));
        return checkSize(valueSize(value) * current!.times);
    }
  };

  class Bounded extends Interpreter {
    override evaluate(statement: Statement | undefined, scope: Scope): Value {
      countSteps(1);
      if (!statement) return super.evaluate(statement, scope);
      const { type, assignee } = statement;
      const hasOperands =
        type === "BinaryExpression" || type === "CallExpression" || type === "CallStatement";
      // In @huggingface/jinja, `first` of an empty list is not a template value.
      const evaluate = () => super.evaluate(statement, scope) ?? undefinedValue;
      const value = hasOperands ? withOperands(() => {}, evaluate) : evaluate();
      if (type === "Set" && assignee?.type === "MemberExpression") changed();
      if (!isExistingValue(statement)) countSize(valueSize(value));
      const use = uses.get(statement);
      if (use !== undefined) countUse(use, value);
      return value;
    }

    override evaluateBlock(statements: readonly Statement[], scope: Scope): Value {
      let text = "";
      for (const statement of statements) {
        const value = this.evaluate(statement, scope);
        if (value.value === null || value.value === undefined) continue;
        if (isExistingValue(statement) || isContainer(value)) countSize(valueSize(value));
        text += String(value);
      }
      return Object.assign(super.evaluateBlock([], scope), { value: text });
    }

    override applyFilter(operand: Value, filter: Statement, scope: Scope): Value {
      const name = String((filter.type === "CallExpression" ? filter.callee : filter)?.value);
      const { size, depth } = measure(operand);
      const items = ownLength(operand);
      countSize(filterCost(name, operand, size));
      const grow = growingFilters.has(name)
        ? (times: number) => checkSize(size * times * (name === "tojson" ? depth + 1 : 1))
        : perItemFilters.has(name)
          ? (times: number) => countSize(items * times)
          : () => {};
      return withOperands(grow, () => super.applyFilter(operand, filter, scope));
    }
  }
  const globals = {
    true: true,
    True: true,
    false: false,
    False: false,
    none: null,
    None: null,
    raise_exception(message: unknown) {
      throw new Error(typeof message === "string" ? message : "the conversation");
    },
    range(start: unknown, stop?: unknown, by: unknown = 1) {
      const [first, end] = stop === undefined ? [0, start] : [start, stop];
      if (typeof first !== "number" || typeof end !== "number" || typeof by !== "number")
        throw new Error("`range` takes numbers");
      const count = Math.max(0, Math.ceil((end - first) / by));
      countSteps(count);
      return Array.from({ length: count }, (_, i) => first + i * by);
    },
    strftime_now(format: unknown) {
      if (typeof format !== "string") throw new Error("`strftime_now` takes a text");
      countSteps(100 * format.length); // each letter may produce the name of a month
      return strftime(now, format);
    },
  };
  const environment = new Environment();
  let size = 0;
  for (const [name, value] of Object.entries({ ...globals, ...variables })) {
    environment.set(name, value);
    size += valueSize(environment.lookupVariable(name));
  }
  maxSize = maxCreated(size);
  return String(new Bounded(environment).run(tree).value);
}

const undefinedValue: Value = new Interpreter(new Environment()).evaluate(undefined, new Environment());

/** Filters whose results grow with their arguments, and filters that use an argument for each item. */
const growingFilters = new Set(["replace", "join", "indent", "tojson"]);
const perItemFilters = new Set(["map", "selectattr", "rejectattr", "sort"]);
/** Filters that do not read the content of a value, and filters that visit the items of a list but not their content. */
const freeFilters = new Set("safe length count first last list default d int float abs bool".split(" "));
const shallowFilters = new Set("reverse items keys values map selectattr rejectattr".split(" "));

/** Cost of a filter: the number of characters or items of its operand that it visits. */
function filterCost(name: string, operand: Value, size: number): number {
  if (freeFilters.has(name)) return 0;
  const items = ownLength(operand);
  if (!isContainer(operand) || shallowFilters.has(name)) return items;
  return name.endsWith("sort") ? size * Math.log2(items + 2) : size;
}

/** Cost of `==`: the characters of texts of equal length; for a list and a text or number, the list as text, to which JavaScript converts it. */
function equalityCost(left: Value, right: Value, valueSize: (value: Value) => number): number {
  if (isContainer(left) === isContainer(right)) return comparisonCost(left.value, right.value);
  const [list, other] = isContainer(left) ? [left, right] : [right, left];
  return other.value === null || other.value === undefined ? 1 : valueSize(list);
}

/** Cost of `in`: the items of a list, or the characters of a text. */
function membershipCost(left: Value, { value: right }: Value): number {
  if (Array.isArray(right))
    return (right as Value[]).reduce((sum, { value }) => sum + comparisonCost(left.value, value), 0);
  if (typeof right !== "string" || typeof left.value !== "string") return 1;
  return right.length * Math.ceil(left.value.length / maxNeedleLength);
}

const comparisonCost = (left: unknown, right: unknown): number =>
  typeof left === "string" && typeof right === "string" && left.length === right.length ? 1 + left.length : 1;

/** Length of a search text up to which a comparison at one position counts as one step. */
const maxNeedleLength = 64;

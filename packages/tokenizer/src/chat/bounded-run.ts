import * as jinja from "@huggingface/jinja";
import { strftime } from "./strftime.js";
import { valueSizes, type Value } from "./value-size.js";

type Scope = { set(name: string, value: unknown): unknown; lookupVariable(name: string): Value };
/** A piece of a template, as it was parsed. */
type Statement = {
  readonly type: string;
  readonly value?: unknown;
  readonly args?: readonly Statement[];
  readonly callee?: Statement;
  readonly object?: Statement;
  readonly property?: Statement;
};
type Run = {
  evaluate(statement: Statement | undefined, scope: Scope): Value;
  applyFilter(operand: Value, filter: Statement, scope: Scope): Value;
  run(program: Program): Value;
};

/** A parsed template. */
export type Program = { readonly body: readonly unknown[] };

// What is used of the library: its own types name files without their endings, which Node's resolution does not find.
const { Environment, Interpreter, parse, tokenize } = jinja as unknown as {
  Environment: new () => Scope;
  Interpreter: new (scope: Scope) => Run;
  tokenize(source: string, options: { lstrip_blocks: boolean; trim_blocks: boolean }): unknown;
  parse(tokens: unknown): Program;
};

/**
 * Steps and numbers of ranges after which a template is not writing a prompt (real ones take some hundred a message), and
 * the characters and items of all that it makes on the way (real ones copy each text some ten times).
 */
const mostSteps = (messages: number) => 200_000 + 5000 * messages;
const mostMade = (given: number) => 2 ** 23 + 64 * given;

/** What gives something that is there already, rather than something new. */
const given = new Set(["Identifier", "StringLiteral", "IntegerLiteral", "FloatLiteral"]);

/** What can give more than it gets: as often as an argument is long, or says. */
const growing = new Set(["replace", "join", "indent", "tojson"]);

/** White space in a row at most: the library's pattern for it takes time by the square of it. */
const longestSpace = 1000;

/** Parses a template, with white space around blocks as chat templates have it. */
export function parsed(source: string): Program {
  if (source.split(/\S+/).some(({ length }) => length > longestSpace))
    throw new Error(`more than ${longestSpace} characters of white space in a row`);
  return parse(tokenize(source, { lstrip_blocks: true, trim_blocks: true }));
}

/** Runs a template, which sees the variables and nothing else, and ends after a bounded number of steps. */
export function boundedRun(
  program: Program,
  variables: Readonly<Record<string, unknown>>,
  now: Date,
): string {
  const { messages } = variables;
  const limit = mostSteps(Array.isArray(messages) ? messages.length : 0);
  const sizeOf = valueSizes();
  let [steps, made, room] = [0, 0, Infinity];
  const step = (count: number) => {
    steps += count;
    if (!(steps <= limit)) throw new Error(`it takes more than ${limit} steps`);
  };
  const make = (size: number) => {
    made += size;
    if (!(made <= room)) throw new Error(`it makes texts and lists of more than ${room} characters`);
  };
  class Bounded extends Interpreter {
    override evaluate(statement: Statement | undefined, scope: Scope): Value {
      step(1);
      const { type, callee, args } = statement ?? { type: "Identifier" };
      const method = type === "CallExpression" && callee?.type === "MemberExpression" ? callee : undefined;
      if (method) {
        const { object, property } = method;
        if (growing.has(String(property?.value)))
          this.checkGrowth(super.evaluate(object, scope), args, scope);
      }
      const value = super.evaluate(statement, scope);
      if (!given.has(type)) make(sizeOf(value));
      return value;
    }

    override applyFilter(operand: Value, filter: Statement, scope: Scope): Value {
      const name = filter.type === "CallExpression" ? filter.callee : filter;
      if (growing.has(String(name?.value))) this.checkGrowth(operand, filter.args, scope);
      return super.applyFilter(operand, filter, scope);
    }

    /** Refuses what would be too large, before it is made. */
    checkGrowth(operand: Value, args: readonly Statement[] = [], scope: Scope): void {
      const times = args.map((argument) => {
        const named = argument.type === "KeywordArgumentExpression" ? argument.value : argument;
        const value = super.evaluate(named as Statement, scope);
        return typeof value.value === "number" ? value.value : sizeOf(value);
      });
      const size = sizeOf(operand) * Math.max(1, ...times);
      if (made + size > room) make(size);
    }
  }
  const globals = {
    true: true,
    True: true,
    false: false,
    False: false,
    none: null,
    None: null,
    raise_exception(message: string) {
      throw new Error(message);
    },
    range(start: number, stop?: number, by = 1) {
      const [first, end] = stop === undefined ? [0, start] : [start, stop];
      const count = Math.max(0, Math.ceil((end - first) / by));
      step(count);
      return Array.from({ length: count }, (_, i) => first + i * by);
    },
    strftime_now: (format: string) => strftime(now, format),
  };
  const environment = new Environment();
  let size = 0;
  for (const [name, value] of Object.entries({ ...globals, ...variables })) {
    environment.set(name, value);
    size += sizeOf(environment.lookupVariable(name));
  }
  room = mostMade(size);
  return String(new Bounded(environment).run(program).value);
}

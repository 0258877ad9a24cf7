import * as jinja from "@huggingface/jinja";
import { strftime } from "./strftime.js";

type Scope = { set(name: string, value: unknown): unknown };
type Value = { readonly value: unknown };
type Run = {
  evaluate(statement: unknown, scope: Scope): Value;
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

/** Steps and numbers of ranges after which a template is not writing a prompt: real ones take some hundred a message. */
const most = 1_000_000;

/** Parses a template, with white space around blocks as chat templates have it. */
export function parsed(source: string): Program {
  return parse(tokenize(source, { lstrip_blocks: true, trim_blocks: true }));
}

/** Runs a template, which sees the variables and nothing else, and ends after a bounded number of steps. */
export function boundedRun(
  program: Program,
  variables: Readonly<Record<string, unknown>>,
  now: Date,
): string {
  let steps = 0;
  const step = (count: number) => {
    steps += count;
    if (!(steps <= most)) throw new Error(`it takes more than ${most} steps`);
  };
  class Bounded extends Interpreter {
    override evaluate(statement: unknown, scope: Scope): Value {
      step(1);
      return super.evaluate(statement, scope);
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
  for (const [name, value] of Object.entries({ ...globals, ...variables })) environment.set(name, value);
  return String(new Bounded(environment).run(program).value);
}

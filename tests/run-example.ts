import type { Expected } from "./expected.ts";
import { matches } from "./matches.ts";

/** One `// =>` of an example: the expected value and its line. */
export type Check = { line: number; code: string; expected: Expected; text: string };

/** The file and lines of an example, its checks, and its compiled module. */
export type Compiled = { line: number; checks: readonly Check[]; load: () => Promise<unknown> };

/**
 * Runs an example, in any engine. Examples run in sequence, since they call their checks through a global.
 *
 * @returns Differences from the expected values, each with its line; none if the example is correct.
 */
export async function runExample(
  { line, checks, load }: Compiled,
  show: (value: unknown) => string,
): Promise<string[]> {
  const problems: string[] = [];
  const ran = new Set<number>();
  const check = async (id: number, evaluate: () => Promise<{ value: unknown }>) => {
    ran.add(id);
    const problem = await compare(checks[id] as Check, evaluate, show);
    if (problem) problems.push(problem);
  };
  Object.assign(globalThis, { check });
  try {
    await load();
  } catch (error) {
    problems.push(`${line}: ${String(error)}`);
  }
  if (problems.length > 0) return problems;
  return checks
    .filter((_, id) => !ran.has(id))
    .map(({ line, code }) => `${line}: \`${code}\` was never reached`);
}

async function compare(
  { line, code, expected, text }: Check,
  evaluate: () => Promise<{ value: unknown }>,
  show: (value: unknown) => string,
) {
  let value: unknown;
  try {
    ({ value } = await evaluate());
  } catch (error) {
    if (expected.kind !== "throws") return `${line}: \`${code}\` threw ${String(error)}, expected ${text}`;
    const { name, message } = error as Error;
    const same = name === expected.name && message.includes(expected.message);
    return same ? undefined : `${line}: \`${code}\` threw ${name}: ${message}, expected it ${text}`;
  }
  if (matches(value, expected)) return undefined;
  return `${line}: \`${code}\` is ${show(value)}, expected ${expected.kind === "throws" ? `it ${text}` : text}`;
}

// The process that runs examples: gets files and their checks, answers with the problems of each.
import { inspect } from "node:util";
import { pathToFileURL } from "node:url";
import type { Check, ExampleFile } from "./example.ts";
import { matches } from "./matches.ts";

process.on("message", async (files: ExampleFile[]) => {
  const problems: string[][] = [];
  for (const file of files) problems.push(await run(file));
  process.send?.(problems);
});

async function run({ path, line, checks }: ExampleFile): Promise<string[]> {
  const problems: string[] = [];
  const ran = new Set<number>();
  const check = async (id: number, evaluate: () => Promise<{ value: unknown }>) => {
    ran.add(id);
    const problem = await compare(checks[id] as Check, evaluate);
    if (problem) problems.push(problem);
  };
  Object.assign(globalThis, { check });
  try {
    await import(pathToFileURL(path).href);
  } catch (error) {
    problems.push(`${line}: ${String(error)}`);
  }
  if (problems.length > 0) return problems;
  return checks
    .filter((_, id) => !ran.has(id))
    .map(({ line, code }) => `${line}: \`${code}\` was never reached`);
}

async function compare({ line, code, expected, text }: Check, evaluate: () => Promise<{ value: unknown }>) {
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
  return `${line}: \`${code}\` is ${inspect(value, { breakLength: Infinity })}, expected ${expected.kind === "throws" ? `it ${text}` : text}`;
}

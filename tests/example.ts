import { fork } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import type { CodeBlock } from "./code-blocks.ts";
import { parseExpected } from "./expected.ts";
import type { Check } from "./run-example.ts";

/** Request to the process that runs examples, and its response: the problems of each file, in order. */
export type ExampleFile = { path: string; line: number; checks: Check[] };

/**
 * Compiles an example into a module in which each statement followed by `// => value` checks that value. With
 * `console.log(x)` or `const x = …` before it, `x` is checked.
 *
 * @throws {Error} If a `// =>` follows anything else, since it would never be checked.
 */
export function compileExample({ code, file, line }: CodeBlock): { js: string; checks: Check[] } {
  const source = ts.createSourceFile("example.ts", code, ts.ScriptTarget.ES2022, true);
  const lineOf = (at: number) => line + source.getLineAndCharacterOfPosition(at).line;
  const checks: Check[] = [];
  const edits: { start: number; end: number; text: string }[] = [];

  const visit = (node: ts.Node): void => {
    const what = checkable(node);
    const comment = what && trailingComment(code, node.end);
    if (what && comment !== undefined) {
      const id = checks.push({
        line: lineOf(node.end),
        code: what.getText(),
        expected: parseExpected(comment),
        text: comment,
      });
      // Called on `globalThis`, since an example may declare a `check` of its own.
      const call = `await globalThis.check(${id - 1}, async () => ({ value: (${what.getText()}) }));`;
      if (ts.isVariableStatement(node)) edits.push({ start: node.end, end: node.end, text: ` ${call}` });
      else edits.push({ start: node.getStart(), end: node.end, text: call });
    } else if (!ts.isFunctionLike(node)) {
      ts.forEachChild(node, visit);
    }
  };
  visit(source);

  const written = [...code.matchAll(/\/\/ =>/g)].length;
  if (written !== checks.length) {
    throw new Error(
      `${file}:${line}: ${written - checks.length} of ${written} \`// =>\` lines do not follow a statement that can be ` +
        "checked: an expression, console.log of one value, or one variable, outside of functions.",
    );
  }
  const checked = edits.reduceRight(
    (text, { start, end, text: by }) => text.slice(0, start) + by + text.slice(end),
    code,
  );
  const { outputText } = ts.transpileModule(checked, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
  });
  return { js: outputText, checks };
}

/** The expression that a `// =>` after the statement checks. */
function checkable(node: ts.Node): ts.Node | undefined {
  if (ts.isVariableStatement(node)) {
    const [first, ...more] = node.declarationList.declarations;
    return first && more.length === 0 && ts.isIdentifier(first.name) ? first.name : undefined;
  }
  if (!ts.isExpressionStatement(node)) return undefined;
  const { expression } = node;
  const logs = ts.isCallExpression(expression) && expression.expression.getText() === "console.log";
  return logs ? (expression.arguments.length === 1 ? expression.arguments[0] : undefined) : expression;
}

function trailingComment(code: string, end: number): string | undefined {
  return /^[ \t]*\/\/ =>[ \t]*(.*?)[ \t]*(?:\n|$)/.exec(code.slice(end))?.[1];
}

/**
 * Runs examples in a child process, as modules in `folder`, so that they import the same as a user's module there: the built
 * packages, through their `exports`.
 *
 * @returns The problems of each example, each with file and line; none if it is correct.
 */
export async function runExamples(folder: string, examples: readonly CodeBlock[]): Promise<string[][]> {
  if (examples.length === 0) return [];
  mkdirSync(join(folder, ".cache"), { recursive: true });
  const at = mkdtempSync(join(folder, ".cache", "examples-"));
  try {
    const files = examples.map((example, i): ExampleFile => {
      const { js, checks } = compileExample(example);
      const path = join(at, `${i}.mjs`);
      writeFileSync(path, js);
      return { path, line: example.line, checks };
    });
    const problems = await runFiles(files);
    return problems.map((list, i) => list.map((problem) => `${examples[i]?.file}:${problem}`));
  } finally {
    rmSync(at, { recursive: true });
  }
}

function runFiles(files: ExampleFile[]): Promise<string[][]> {
  const child = fork(fileURLToPath(new URL("example-process.ts", import.meta.url)), {
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    execArgv: [],
  });
  let stderr = "";
  child.stderr?.on("data", (text) => (stderr += text));
  return new Promise((resolve, reject) => {
    const hung = setTimeout(() => {
      child.kill();
      reject(new Error("The examples did not end within two minutes."));
    }, 120_000);
    child.on("message", (problems: string[][]) => {
      clearTimeout(hung);
      resolve(problems);
      child.kill(); // an example may leave a worker running
    });
    child.on("exit", (status) => {
      clearTimeout(hung);
      reject(new Error(`The examples' process ended with ${status}.\n${stderr}`));
    });
    child.send(files);
  });
}

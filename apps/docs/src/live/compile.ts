import { init, parse } from "es-module-lexer";
import { transform } from "sucrase";

/** Code that is not TypeScript, or imports what the page does not have. Lines and columns count from 1. */
export class CompileError extends Error {
  override name = "CompileError";
  constructor(
    message: string,
    readonly line?: number,
    readonly column?: number,
  ) {
    super(message);
  }
}

/**
 * TypeScript to a module that a worker can import: types go, lines stay where they are, and the name of a package
 * becomes the address of its file on this site.
 *
 * @param modules - For each package its absolute address.
 * @throws {CompileError} At the place that is wrong.
 */
export async function compile(source: string, modules: Record<string, string>): Promise<string> {
  await init;
  const code = strip(source);
  let [out, last] = ["", 0];
  for (const { n: name, s: start, e: end, d: dynamic } of parse(code)[0]) {
    if (name === undefined) continue; // import.meta, or a name that is computed
    const to = modules[name];
    if (to === undefined) {
      const before = code.slice(0, start).split("\n");
      throw new CompileError(
        `Unknown module "${name}". Available modules: ${Object.keys(modules).join(", ")}.`,
        before.length,
        (before.at(-1) ?? "").length + 1,
      );
    }
    out += code.slice(last, start) + (dynamic > -1 ? JSON.stringify(to) : to); // a dynamic import keeps its quotes
    last = end;
  }
  return out + code.slice(last);
}

function strip(source: string): string {
  try {
    return transform(source, { transforms: ["typescript"], disableESTransforms: true }).code;
  } catch (error) {
    const { message, loc } = error as Error & { loc?: { line: number; column: number } };
    throw new CompileError(
      message.replace(/^Error transforming .*?: /, "").replace(/ \(\d+:\d+\)$/, ""),
      loc?.line,
      loc && loc.column,
    );
  }
}

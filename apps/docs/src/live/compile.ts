import { init, parse } from "es-module-lexer";
import { transform } from "sucrase";

/**
 * An error for code that is no TypeScript, or imports a module that the page does not have. Lines and columns count
 * from 1.
 */
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
 * Compiles TypeScript to a module that a worker can import: types are removed, lines are preserved, and package names are
 * replaced by the URLs of their files on this site.
 *
 * @param modules - Absolute URLs by package.
 * @throws {CompileError} With the position of the error.
 */
export async function compile(source: string, modules: Record<string, string>): Promise<string> {
  await init;
  const code = strip(source);
  let [out, last] = ["", 0];
  for (const { n: name, s: start, e: end, d: dynamic } of parse(code)[0]) {
    if (name === undefined) continue; // import.meta, or a computed specifier
    const to = modules[name];
    if (to === undefined) {
      const before = code.slice(0, start).split("\n");
      throw new CompileError(
        `Unknown module "${name}". Available modules: ${Object.keys(modules).join(", ")}.`,
        before.length,
        (before.at(-1) ?? "").length + 1,
      );
    }
    out += code.slice(last, start) + (dynamic > -1 ? JSON.stringify(to) : to); // the range of a dynamic import includes its quotes
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

import ts from "typescript";

/**
 * An example as a module that runs it when asked: imports at the top, and the rest, which may wait, in the function that it exports.
 *
 * @param {string} code - TypeScript or JavaScript.
 */
export function inFunction(code) {
  const source = ts.createSourceFile("example.ts", code, ts.ScriptTarget.ES2022, true);
  const [imports, rest] = [[], []];
  for (const statement of source.statements)
    (ts.isImportDeclaration(statement) ? imports : rest).push(statement.getFullText());
  return `${imports.join("")}\nexport default async () => {${rest.join("")}\n};\n`;
}

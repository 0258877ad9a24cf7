import ts from "typescript";

/**
 * The value after `// =>`, as plain data. A number stays text, since its decimals determine the precision of the
 * comparison.
 */
export type Expected =
  | { kind: "number"; text: string }
  | { kind: "value"; value: string | boolean | null }
  | { kind: "undefined" }
  | { kind: "list"; items: Expected[] }
  | { kind: "object"; entries: [string, Expected][] }
  | { kind: "throws"; name: string; message: string };

/**
 * Reads the text after `// =>`: numbers, strings, `true`, `false`, `null`, `undefined`, lists and objects of them,
 * or `throws NameOfError`, optionally with `: part of its message`.
 *
 * @throws {Error} If it is anything else.
 */
export function parseExpected(text: string): Expected {
  const thrown = /^throws (\w+)(?:: (.*))?$/.exec(text);
  if (thrown) return { kind: "throws", name: thrown[1] ?? "", message: thrown[2] ?? "" };
  const file = ts.createSourceFile("expected.ts", `(${text}\n)`, ts.ScriptTarget.ES2022);
  const [statement, ...more] = file.statements;
  const { parseDiagnostics } = file as unknown as { parseDiagnostics: unknown[] };
  if (statement === undefined || more.length > 0 || parseDiagnostics.length > 0) throw unreadable(text);
  if (!ts.isExpressionStatement(statement) || !ts.isParenthesizedExpression(statement.expression))
    throw unreadable(text);
  return read(statement.expression.expression, file);
}

function read(node: ts.Expression, file: ts.SourceFile): Expected {
  const text = node.getText(file);
  if (ts.isNumericLiteral(node) || /^-(Infinity|[\d.][\d.e+-]*)$|^(Infinity|NaN)$/.test(text)) {
    return { kind: "number", text };
  }
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node))
    return { kind: "value", value: node.text };
  if (text === "true" || text === "false") return { kind: "value", value: text === "true" };
  if (text === "null") return { kind: "value", value: null };
  if (text === "undefined") return { kind: "undefined" };
  if (ts.isArrayLiteralExpression(node)) {
    return { kind: "list", items: node.elements.map((item) => read(item, file)) };
  }
  if (ts.isObjectLiteralExpression(node)) {
    return {
      kind: "object",
      entries: node.properties.map((property) => {
        if (!ts.isPropertyAssignment(property) || ts.isComputedPropertyName(property.name))
          throw unreadable(text);
        return [property.name.text, read(property.initializer, file)];
      }),
    };
  }
  throw unreadable(text);
}

function unreadable(text: string): Error {
  return new Error(
    `Cannot read \`${text}\` as an expected value: write a plain value or \`throws NameOfError\`.`,
  );
}

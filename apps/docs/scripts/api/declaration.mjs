// Declarations of API pages: as in the source, with the comments of members, and with links for names.
import { format } from "prettier";
import ts from "typescript";
import { printed, symbolAt } from "../../../../scripts/api/entries.mjs";

const printer = ts.createPrinter({ newLine: ts.NewLineKind.LineFeed });

/**
 * Prints the declarations of a name; overloads follow each other.
 *
 * @param {readonly ts.Declaration[]} declarations
 * @param {ts.TypeChecker} checker
 * @param {(symbol: ts.Symbol) => string | undefined} addressOf - Address of a symbol's documentation.
 * @returns {Promise<{ code: string, links: [offset: number, name: string, address: string][] }>}
 */
export async function writeDeclaration(declarations, checker, addressOf) {
  const nodes = declarations.map(printed);
  const text = nodes.map((node) => {
    const whole = printer.printNode(ts.EmitHint.Unspecified, node, node.getSourceFile());
    const text = whole.slice(leadingComment(whole)).replace(/^(?:export )?(?:default )?(?:declare )?/, "");
    return withoutLinkTags(text);
  });
  const code = (
    await format(text.join("\n"), { parser: "typescript", printWidth: 80, trailingComma: "none" })
  ).trimEnd();
  const before = nodes.flatMap(identifiers);
  const after = identifiers(ts.createSourceFile("page.ts", code, ts.ScriptTarget.ES2022, true));
  const names = declarations.map(({ name }) => name);
  const links = after.flatMap((identifier, i) => {
    const symbol = names.includes(before[i]) ? undefined : symbolAt(checker, before[i]);
    const address = symbol && addressOf(symbol);
    return address ? [[identifier.getStart(), identifier.text, address]] : [];
  });
  return { code, links };
}

/** In source order, which formatting preserves. */
function identifiers(node) {
  if (ts.isIdentifier(node)) return [node];
  const list = [];
  ts.forEachChild(node, (child) => void list.push(...identifiers(child)));
  return list;
}

function leadingComment(text) {
  return /^(\s*\/\*[^]*?\*\/)*\s*/.exec(text)[0].length;
}

const withoutLinkTags = (text) => text.replace(/\{@link (\S+?)\}/g, "$1");

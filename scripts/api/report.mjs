// The public names of a package with their types, as its built declarations have them: what an API report says.
import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import ts from "typescript";

/** @typedef {Map<string, Map<string, string>>} Report - By entry ("." or "./training"), by name: the declaration. */

/**
 * Reads what a package exports from its built declarations. A type that is not exported but used by a public one
 * is in the report too, under its name with a `~` in front: a change of it reaches users.
 *
 * @param {{ name: string, folder: string, json: Record<string, any> }} pkg
 * @returns {Report}
 */
export function readApi({ name, folder, json }) {
  const entries = Object.entries(json.exports).flatMap(([entry, to]) => {
    const types = to?.import?.types;
    return types ? [{ entry, file: join(folder, types) }] : [];
  });
  const missing = entries.find(({ file }) => !existsSync(file));
  if (missing) throw new Error(`${missing.file} is not there. Fix: build the packages first.`);
  const program = ts.createProgram(
    entries.map(({ file }) => file),
    { module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2022, types: [], skipLibCheck: true },
  );
  const checker = program.getTypeChecker();
  const printer = ts.createPrinter({ removeComments: true, newLine: ts.NewLineKind.LineFeed });
  const own = (declaration) =>
    !relative(join(folder, "dist"), declaration.getSourceFile().fileName).startsWith("..");
  const print = (declaration) => {
    const node = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration;
    return printer.printNode(ts.EmitHint.Unspecified, node, declaration.getSourceFile());
  };

  const report = new Map();
  for (const { entry, file } of entries) {
    const module = checker.getSymbolAtLocation(program.getSourceFile(file));
    const names = new Map();
    const seen = new Set();
    const inner = [];
    const add = (label, symbol) => {
      seen.add(symbol);
      const declarations = symbol.declarations ?? [];
      if (!declarations.every(own)) return names.set(label, `export { ${label} } from another package;`);
      names.set(label, declarations.map(print).join("\n"));
      for (const declaration of declarations) ts.forEachChild(declaration, visit);
    };
    const visit = (node) => {
      const symbol = ts.isIdentifier(node) && target(checker, node);
      if (symbol && symbol.flags & (ts.SymbolFlags.Type | ts.SymbolFlags.Variable)) inner.push(symbol);
      ts.forEachChild(node, visit);
    };
    const exported = module ? checker.getExportsOfModule(module) : [];
    const resolved = exported.map((symbol) => ({ label: symbol.name, symbol: real(checker, symbol) }));
    for (const { label, symbol } of resolved.sort(byLabel)) add(label, symbol);
    for (const symbol of inner) {
      const { declarations = [] } = symbol;
      const top = declarations.every((each) => own(each) && atTop(each));
      if (declarations.length > 0 && top && !seen.has(symbol)) add(`~${symbol.name}`, symbol);
    }
    report.set(entry, new Map([...names].sort(([a], [b]) => (a < b ? -1 : 1))));
  }
  if (report.size === 0) throw new Error(`${name} exports nothing with types`);
  return report;
}

const byLabel = (a, b) => (a.label < b.label ? -1 : 1);
const real = (checker, symbol) =>
  symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;

function target(checker, node) {
  const symbol = checker.getSymbolAtLocation(node);
  return symbol && real(checker, symbol);
}

/** True if a declaration stands at the top of its file, not in a type or among parameters. */
function atTop(declaration) {
  const node = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration;
  return ts.isSourceFile(node.parent);
}

/**
 * @param {string} name - Of the package.
 * @param {Report} report
 * @returns {string} The report as it is kept, `api.md` of the package.
 */
export function writeReport(name, report) {
  const entries = [...report].map(([entry, names]) => {
    const list = [...names].map(([label, text]) => `// ${label}\n${text}\n`).join("\n");
    return `## ${entry === "." ? name : name + entry.slice(1)}\n\n\`\`\`ts\n${list}\`\`\`\n`;
  });
  const note =
    "What this package exports. Written by `npm run api`; a change here is a change that users see.";
  return `# The public names of ${name}\n\n${note}\n\n${entries.join("\n")}`;
}

/**
 * @param {string} name - Of the package.
 * @param {string} text - A report as `writeReport` writes it.
 * @returns {Report}
 */
export function parseReport(name, text) {
  const report = new Map();
  for (const [, title, list] of text.matchAll(/^## (.*)\n\n```ts\n([^]*?)^```$/gm)) {
    const names = new Map();
    for (const part of list.split(/^\/\/ /m).slice(1)) {
      const end = part.indexOf("\n");
      names.set(part.slice(0, end), part.slice(end + 1).trimEnd());
    }
    report.set(title === name ? "." : `.${title.slice(name.length)}`, names);
  }
  return report;
}

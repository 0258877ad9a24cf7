// Reads the entry points of packages, and the names that each exports, from the built declarations.
import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import ts from "typescript";

/**
 * A name that an entry point exports. `inner`: a type that is not exported but used by exported ones. `elsewhere`: declared
 * in another package.
 *
 * @typedef {{ label: string, symbol: ts.Symbol, declarations: readonly ts.Declaration[], inner: boolean,
 *   elsewhere: boolean }} Name
 * @typedef {{ name: string, folder: string, json: Record<string, any> }} Package
 * @typedef {{ pkg: Package, entry: string, names: Name[] }} Entry - `entry`: "." or "./training".
 */

/**
 * True for an entry point of `exports` in `src/subpaths`, which re-exports all names of another package's entry point.
 */
export const isSubpath = (to) => to?.import?.types?.startsWith("./dist/subpaths/") ?? false;

/**
 * Reads all typed entry points of the packages, in the order of `exports`, except the subpaths of qkv (`qkv/tensor`): they
 * re-export another package's entry point, which tests/qkv-package.test.ts compares.
 *
 * @param {Package[]} packages
 * @returns {{ checker: ts.TypeChecker, entries: Entry[] }}
 */
export function readEntries(packages) {
  const files = packages.flatMap((pkg) =>
    Object.entries(pkg.json.exports).flatMap(([entry, to]) => {
      const types = to?.import?.types;
      return types && !isSubpath(to) ? [{ pkg, entry, file: join(pkg.folder, types) }] : [];
    }),
  );
  const untyped = packages.find((pkg) => !files.some((each) => each.pkg === pkg));
  if (untyped) throw new Error(`${untyped.name} exports nothing with types`);
  const missing = files.find(({ file }) => !existsSync(file));
  if (missing) throw new Error(`${missing.file} does not exist. Fix: build the packages first.`);
  const program = ts.createProgram(
    files.map(({ file }) => file),
    { module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2022, types: [], skipLibCheck: true },
  );
  const checker = program.getTypeChecker();
  const entries = files.map(({ pkg, entry, file }) => ({
    pkg,
    entry,
    names: namesOf(checker, program.getSourceFile(file), join(pkg.folder, "dist")),
  }));
  return { checker, entries };
}

function namesOf(checker, file, dist) {
  const own = (declaration) => !relative(dist, declaration.getSourceFile().fileName).startsWith("..");
  const names = [];
  const inner = [];
  const add = (label, symbol, isInner) => {
    const { declarations = [] } = symbol;
    const elsewhere = !declarations.every(own);
    names.push({ label, symbol, declarations, inner: isInner, elsewhere });
    if (!elsewhere) for (const declaration of declarations) ts.forEachChild(declaration, visit);
  };
  const visit = (node) => {
    const symbol = ts.isIdentifier(node) && symbolAt(checker, node);
    if (symbol && symbol.flags & (ts.SymbolFlags.Type | ts.SymbolFlags.Variable)) inner.push(symbol);
    ts.forEachChild(node, visit);
  };
  const module = checker.getSymbolAtLocation(file);
  const exported = module ? checker.getExportsOfModule(module) : [];
  const resolved = exported.map((symbol) => ({ label: symbol.name, symbol: real(checker, symbol) }));
  for (const { label, symbol } of resolved.sort(byLabel)) add(label, symbol, false);
  // The list grows during this loop: a type that is not exported may use another.
  for (const symbol of inner) {
    const { declarations = [] } = symbol;
    const top = declarations.every((each) => own(each) && ts.isSourceFile(printed(each).parent));
    const known = names.some((name) => name.symbol === symbol);
    if (declarations.length > 0 && top && !known) add(symbol.name, symbol, true);
  }
  return names;
}

const byLabel = (a, b) => (a.label < b.label ? -1 : 1);
const real = (checker, symbol) =>
  symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;

/**
 * The symbol of an identifier, with imports resolved to the declaration.
 *
 * @param {ts.TypeChecker} checker
 * @param {ts.Node} node
 */
export function symbolAt(checker, node) {
  const symbol = checker.getSymbolAtLocation(node);
  return symbol && real(checker, symbol);
}

/**
 * The node that is printed for a declaration: for a variable, its statement.
 *
 * @param {ts.Node} declaration
 */
export const printed = (declaration) =>
  ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration;

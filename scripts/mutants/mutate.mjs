// Mutates a source: finds the only match of a TypeScript pattern and replaces it. Syntax trees are compared, so format and
// comments do not count, and names only count if the pattern contains them:
//   { file: "src/masks/prefix.ts", in: "prefix", find: "$key < $length || $rest", replace: "$key <= $length || $rest" }
// - `find`: one expression, statements, or properties of an object. `$name` matches any expression or name; repeated, the
//   same one. An object literal is written `({ … })`.
// - `in` (optional): the function, method, class, variable or property to search in.
// - `replace`: text, in which each `$name` is replaced by its match.
// Code in strings and template literals, such as shaders, is searched too; there `${…}` parses as a name.
import ts from "typescript";

/** Trees by text: many patterns search the same source. */
const trees = new Map();

function parse(text) {
  if (!trees.has(text)) trees.set(text, ts.createSourceFile("source.ts", text, ts.ScriptTarget.Latest, true));
  return trees.get(text);
}

/** Number of syntax errors in a source. In AssemblyScript, errors about decorators do not count. */
export const problemsIn = (source) => parse(source).parseDiagnostics.length;

/** Throws if the pattern of `mutant` has no match in `source` or several, or if the mutant equals the source. */
export function mutate(source, mutant) {
  const { what, file, find, replace } = mutant;
  const refuse = (problem, fix) => {
    throw new Error(`mutants: "${what}" (${file}): ${problem}.\nFix: ${fix}.`);
  };
  const pattern = parsePattern(find);
  if (!pattern)
    refuse(`its pattern does not parse: ${find}`, "write an expression, statements or properties");
  const tree = parse(source);
  const roots = mutant.in ? [...declarations(tree, mutant.in)] : [tree];
  if (roots.length === 0) refuse(`nothing is named ${mutant.in}`, "give the name that it has now");
  const matches = new Map();
  for (const root of roots)
    for (const nodes of sequences(root, pattern.length)) {
      const bound = new Map();
      if (pattern.every((node, i) => isSame(node, nodes[i], bound)))
        matches.set(nodes[0].getStart(), { nodes, bound });
    }
  if (matches.size !== 1)
    refuse(
      `its pattern matches ${matches.size} places, expected 1: ${find}`,
      matches.size === 0
        ? "follow what the source says now"
        : "say more of the place, or in which function it is",
    );
  const [[start, { nodes, bound }]] = matches;
  const text = (node) => source.slice(node.getStart(), node.end);
  const changed = replace.replace(/\$[a-z]\w*/gi, (name) => {
    const node = bound.get(name) ?? refuse(`${name} is not in its pattern`, "replace by names that it finds");
    return isOperation(node) ? `(${text(node)})` : text(node);
  });
  const result = source.slice(0, start) + changed + source.slice(nodes.at(-1).end);
  if (result === source) refuse("it changes nothing", "replace by something else");
  return result;
}

/** The consecutive nodes of a pattern; undefined if it does not parse. */
function parsePattern(text) {
  const { statements, parseDiagnostics } = parse(text);
  const [first] = statements;
  if (parseDiagnostics.length === 0 && first && !ts.isLabeledStatement(first)) {
    const isExpression = statements.length === 1 && ts.isExpressionStatement(first) && !/;\s*$/.test(text);
    if (!isExpression) return [...statements];
    return [ts.isParenthesizedExpression(first.expression) ? first.expression.expression : first.expression];
  }
  const object = parse(`({${text}})`);
  return object.parseDiagnostics.length === 0
    ? [...object.statements[0].expression.expression.properties]
    : undefined;
}

function isSame(pattern, node, bound) {
  if (ts.isIdentifier(pattern) && /^\$[a-z]/i.test(pattern.text)) {
    const earlier = bound.get(pattern.text);
    if (earlier) return isSame(earlier, node, bound);
    bound.set(pattern.text, node);
    return true;
  }
  if (pattern.kind !== node.kind || pattern.operator !== node.operator) return false;
  const [wanted, found] = [pattern, node].map(children);
  if (wanted.length === 0 && found.length === 0) return ownText(pattern) === ownText(node);
  return wanted.length === found.length && wanted.every((child, i) => isSame(child, found[i], bound));
}

const ownText = (node) => node.text ?? node.getText().replace(/\s/g, "");

const isOperation = (node) =>
  ts.isBinaryExpression(node) || ts.isConditionalExpression(node) || ts.isArrowFunction(node);

/** Each sequence of `length` siblings in a tree; each node if `length` is 1. */
function* sequences(root, length) {
  if (length === 1) yield [root];
  const lists = [];
  if (length > 1)
    ts.forEachChild(
      root,
      () => undefined,
      (list) => void lists.push(list),
    );
  for (const list of lists) for (let i = 0; i + length <= list.length; i++) yield list.slice(i, i + length);
  for (const child of childrenAndCode(root)) yield* sequences(child, length);
}

function* declarations(root, name) {
  const named =
    ts.isFunctionLike(root) ||
    ts.isClassDeclaration(root) ||
    ts.isVariableDeclaration(root) ||
    ts.isPropertyAssignment(root) ||
    ts.isPropertyDeclaration(root);
  if (named && root.name && ownText(root.name) === name) yield root;
  for (const child of childrenAndCode(root)) yield* declarations(child, name);
}

function children(node) {
  const list = [];
  ts.forEachChild(node, (child) => void list.push(child));
  return list;
}

function childrenAndCode(node) {
  return ts.isStringLiteralLike(node) || ts.isTemplateExpression(node)
    ? [...children(node), codeIn(node)]
    : children(node);
}

/** Parses the code in a literal, at its positions in the file. */
function codeIn(literal) {
  let code = literal.getText().slice(1, -1).replace(/\\[^]/g, "  ");
  const start = literal.getStart() + 1;
  let from = literal.head?.end;
  for (const { literal: next } of literal.templateSpans ?? []) {
    const [open, close] = [from - "${".length - start, next.getStart() + "}".length - start];
    const name = code.slice(open, close).replace(/\W/g, "_");
    code = code.slice(0, open) + name + code.slice(close);
    from = next.end;
  }
  return parse(" ".repeat(start) + code);
}

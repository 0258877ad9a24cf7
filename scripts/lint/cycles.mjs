// An ESLint rule against circular imports between files of a package, and between its folders, direct or indirect.
// Files in a cycle depend on their order of loading. Types count. An operation and its derivative that need each other
// share a file.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

const graphs = new Map();

/**
 * The files of the same package that each file imports, cached. Without tests.
 *
 * @param {string} source - The folder `src` of a package.
 * @returns {Map<string, string[]>}
 */
export function graphOf(source) {
  if (graphs.has(source)) return graphs.get(source);
  const files = readdirSync(source, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
    .map((file) => join(source, file));
  const graph = new Map(
    files.map((file) => {
      // Without comments, whose examples import too.
      const text = readFileSync(file, "utf8").replace(/\/\*[\s\S]*?\*\//g, "");
      const found = [...text.matchAll(/(?:^(?:import|export)\s[^;"]*|\bimport\()"(\.[^"]+)"/gm)];
      return [file, found.map(([, path]) => target(file, path)).filter((other) => files.includes(other))];
    }),
  );
  graphs.set(source, graph);
  return graph;
}

const target = (file, path) => resolve(dirname(file), path).replace(/\.js$/, ".ts");

/** The shortest path of imports from one file to another, including both, or undefined. */
export function importPath(graph, from, to) {
  const before = new Map([[from, undefined]]);
  for (const file of before.keys()) {
    if (file === to) {
      const path = [];
      for (let at = file; at !== undefined; at = before.get(at)) path.unshift(at);
      return path;
    }
    for (const next of graph.get(file) ?? []) if (!before.has(next)) before.set(next, file);
  }
  return undefined;
}

/** The folder of a package that contains a file; undefined for files beside the index. */
function folderOf(source, file) {
  const parts = relative(source, file).split(/[\\/]/);
  return parts.length > 1 ? parts[0] : undefined;
}

export default {
  meta: {
    type: "problem",
    docs: { description: "No two files, and no two folders, of a package import each other." },
    messages: {
      files:
        "Circular import: {{path}}. Move what both need (often a type) to a file of its own that imports neither; an " +
        "operation and its derivative may share a file.",
      folders:
        "{{from}}/ imports {{to}}/, and {{back}} imports {{from}}/. Move what both need into one of the two, or into a " +
        "folder below them, so that imports between folders point one way.",
    },
    schema: [],
  },
  create(context) {
    const file = context.filename;
    const source = /^(.*[\\/]packages[\\/][^\\/]+[\\/]src)[\\/]/.exec(file)?.[1];
    if (!source || !existsSync(source) || file.endsWith(".test.ts")) return {};
    const graph = graphOf(source);
    const short = (path) => relative(source, path).replaceAll("\\", "/");
    const check = ({ source: from }) => {
      if (!from?.value?.startsWith?.(".")) return;
      const other = target(file, from.value);
      const path = importPath(graph, other, file);
      if (path) {
        const data = { path: [file, ...path].map(short).join(" → ") };
        context.report({ node: from, messageId: "files", data });
        return;
      }
      const [here, there] = [folderOf(source, file), folderOf(source, other)];
      if (!here || !there || here === there) return;
      const back = [...graph].find(
        ([one, imports]) =>
          folderOf(source, one) === there && imports.some((each) => folderOf(source, each) === here),
      );
      if (!back) return;
      context.report({
        node: from,
        messageId: "folders",
        data: { from: here, to: there, back: short(back[0]) },
      });
    };
    return { ImportDeclaration: check, ExportNamedDeclaration: check, ExportAllDeclaration: check };
  },
};

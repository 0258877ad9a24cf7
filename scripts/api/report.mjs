// API reports: the public names of a package with their types, from its built declarations.
import ts from "typescript";
import { printed, readEntries } from "./entries.mjs";

/** @typedef {Map<string, Map<string, string>>} Report - By entry ("." or "./training"), by name: the declaration. */

/**
 * Reads the exports of a package from its built declarations. A type that is not exported but used by a public one is
 * included, with a `~` before its name: changing it affects users.
 *
 * @param {import("./entries.mjs").Package} pkg
 * @returns {Report}
 */
export function readApi(pkg) {
  const printer = ts.createPrinter({ removeComments: true, newLine: ts.NewLineKind.LineFeed });
  // A bundler writes `export` before a declaration or in a list at the end: no difference to users.
  const print = (declaration) =>
    printer
      .printNode(ts.EmitHint.Unspecified, printed(declaration), declaration.getSourceFile())
      .replace(/^export (?:default )?/, "");
  const { entries } = readEntries([pkg]);
  return new Map(
    entries.map(({ entry, names }) => {
      const lines = names.map(({ label, declarations, inner, elsewhere }) => [
        inner ? `~${label}` : label,
        elsewhere ? `export { ${label} } from another package;` : declarations.map(print).join("\n"),
      ]);
      return [entry, new Map(lines.sort(([a], [b]) => (a < b ? -1 : 1)))];
    }),
  );
}

/**
 * @param {string} name - The package's name.
 * @param {Report} report
 * @returns {string} The text of the package's `api.md`.
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
 * @param {string} name - The package's name.
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

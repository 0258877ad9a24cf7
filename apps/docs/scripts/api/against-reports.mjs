// Compares API pages with the API reports, packages/*/api.md.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { parseReport } from "../../../../scripts/api/report.mjs";
import { publicPackages } from "../../../../scripts/packages.mjs";

/**
 * A name on a page: with its declaration, or with the address of another page that documents it.
 *
 * @typedef {{ label: string, code?: string | undefined, from?: string | undefined }} Shown
 */

/**
 * Reads the reports by the title of their page. A type that an entry point uses and another entry point of the package exports
 * is on that other page.
 *
 * @returns {Map<string, Map<string, string>>} By `@qkv/tensor/optimizers`, by name: the declaration.
 */
export function readReports() {
  return new Map(
    publicPackages().flatMap(({ name, folder }) => {
      const report = parseReport(name, readFileSync(join(folder, "api.md"), "utf8"));
      const exported = ([label, text]) =>
        label.startsWith("~") && [...report.values()].some((names) => names.get(label.slice(1)) === text);
      return [...report].map(([entry, names]) => [
        name + entry.slice(1),
        new Map([...names].filter((each) => !exported(each))),
      ]);
    }),
  );
}

/**
 * Lists the differences between one page and its report.
 *
 * @param {Map<string, string>} names - Names in the report.
 * @param {Shown[]} shown - Names on the page.
 * @returns {string[]}
 */
export function differences(names, shown) {
  const problems = [];
  // A type that is not exported has a `~` before its name in the report, and may share the name with an exported one.
  const left = [...names].map(([label, text]) => ({ label: label.replace("~", ""), text }));
  for (const { label, code, from } of shown) {
    const same = ({ text }) =>
      code === undefined
        ? text === `export { ${label} } from another package;` && leadsTo(label, from)
        : withoutLayout(text) === withoutLayout(code);
    const at = left.findIndex((each) => each.label === label && same(each));
    if (at >= 0) left.splice(at, 1);
    else problems.push(`shows another ${label} than api.md: ${code ?? from}`);
  }
  return [...problems, ...left.map(({ label }) => `has no ${label} as api.md has it`)];
}

/** True for the anchor of a name, or of a kind and a name, if a page has two names that only differ in case. */
const leadsTo = (label, address = "") =>
  new RegExp(`#${label.toLowerCase()}(-(function|class|constant|type))?$`).test(address);

const printer = ts.createPrinter({ removeComments: true, newLine: ts.NewLineKind.LineFeed });

/** Normalizes a declaration: without comments, line breaks, and what a formatter adds or removes around them. */
function withoutLayout(code) {
  const file = ts.createSourceFile("page.d.ts", code, ts.ScriptTarget.ES2022, true);
  return printer
    .printFile(file)
    .replace(/^(export )?declare /gm, "")
    .replace(/\s/g, "")
    .replace(/,(?=[)}\]])|[();]/g, "");
}

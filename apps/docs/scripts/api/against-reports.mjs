// Compares what API pages show with the reports, packages/*/api.md.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { parseReport } from "../../../../scripts/api/report.mjs";
import { publicPackages } from "../../../../scripts/packages.mjs";

/**
 * A name as a page shows it: with its declaration, or with the address of the page that has it.
 *
 * @typedef {{ label: string, code?: string | undefined, from?: string | undefined }} Shown
 */

/**
 * Reads what the reports say, by the title of the page that must show it. A type that an entry is made of and that another
 * entry of the package exports has its place on that other page.
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
 * @param {Map<string, string>} names - Of the report.
 * @param {Shown[]} shown - By the page.
 * @returns {string[]}
 */
export function differences(names, shown) {
  const problems = [];
  // A type that is not exported stands in the report with a `~` in front, and may have the name of one that is.
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

/** True for the anchor of a name; that of a kind of name, where a page has two that differ in capitals. */
const leadsTo = (label, address = "") =>
  new RegExp(`#${label.toLowerCase()}(-(function|class|constant|type))?$`).test(address);

const printer = ts.createPrinter({ removeComments: true, newLine: ts.NewLineKind.LineFeed });

/** Types as they are written but for comments, line ends, and what a formatter adds or leaves out around them. */
function withoutLayout(code) {
  const file = ts.createSourceFile("page.d.ts", code, ts.ScriptTarget.ES2022, true);
  return printer
    .printFile(file)
    .replace(/^(export )?declare /gm, "")
    .replace(/\s/g, "")
    .replace(/,(?=[)}\]])|[();]/g, "");
}

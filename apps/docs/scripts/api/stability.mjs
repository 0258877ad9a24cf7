// Stability of public names: the label in package.json, experimental by default. A docstring may override it for a
// name.
import ts from "typescript";

/** The labels, and what users can rely on. */
export const stabilities = {
  stable:
    "a change that breaks a caller is announced, by name, in the changelog of a new major version, before 1.0 of a minor one.",
  experimental: "it may change or go in any version; the changelog says so.",
};

/** The label of a package. */
export const packageStability = ({ json }) => json.stability ?? "experimental";

/**
 * The label of a name: that of its docstring, else that of its package.
 *
 * @param {readonly ts.Declaration[]} declarations
 * @param {{ json: Record<string, any> }} pkg
 * @returns {string}
 */
export function stabilityOf(declarations, pkg) {
  const tags = declarations.flatMap((each) => ts.getJSDocTags(each)).map((tag) => tag.tagName.text);
  return tags.find((tag) => tag in stabilities) ?? packageStability(pkg);
}

/** A label as shown on a page. */
export const labelOf = (stability) =>
  `**${stability[0].toUpperCase()}${stability.slice(1)}:** ${stabilities[stability]}`;

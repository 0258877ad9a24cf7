// Stability of public names: a package says in its package.json that it is stable, and is experimental if it says nothing; a name
// that differs from its package says so in its docstring.
import ts from "typescript";

/** Each label, and what a user may rely on. */
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

/** A label as a page shows it. */
export const labelOf = (stability) =>
  `**${stability[0].toUpperCase()}${stability.slice(1)}:** ${stabilities[stability]}`;

// Compares two API reports, and checks that pending changesets announce breaking changes.
import { isCompatibleExtension } from "./only-more.mjs";

/**
 * @param {import("./report.mjs").Report} before
 * @param {import("./report.mjs").Report} after
 * @returns {{ entry: string, label: string, kind: "added" | "grown" | "removed" | "changed" }[]}
 */
export function changesBetween(before, after) {
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((entry) => {
    const [old, now] = [before.get(entry) ?? new Map(), after.get(entry) ?? new Map()];
    return [...new Set([...old.keys(), ...now.keys()])].flatMap((label) => {
      if (old.get(label) === now.get(label)) return [];
      const [was, is] = [old.get(label), now.get(label)];
      // Types that are not exported only matter through exported names that use them: adding or removing one is no
      // change.
      if (label.startsWith("~") && (was === undefined || is === undefined)) return [];
      if (was === undefined) return [{ entry, label, kind: "added" }];
      if (is === undefined) return [{ entry, label, kind: "removed" }];
      return [{ entry, label, kind: isCompatibleExtension(was, is) ? "grown" : "changed" }];
    });
  });
}

/**
 * The changes that no changeset announces. A removed name or a changed type breaks callers: a changeset must bump the
 * package by `major` (before version 1 by `minor`, which a range such as ^0.2.0 excludes) and have a line that begins with
 * `Breaking:` and contains the name. If the new type accepts and returns everything that the old one did, the line begins
 * with `Compatible:` instead, and any bump is allowed.
 *
 * @param {ReturnType<typeof changesBetween>} changes
 * @param {{ name: string, version: string }} json - The package's package.json.
 * @param {string[]} changesets - The texts of the pending changesets.
 */
export function unannounced(changes, { name, version }, changesets) {
  const enough = version.startsWith("0.") ? ["major", "minor"] : ["major"];
  const lines = changesets.flatMap((text) => {
    const bump = bumpOf(text, name);
    if (!bump) return [];
    return text.split("\n").filter((line) => {
      if (line.startsWith("Compatible:")) return true;
      return line.startsWith("Breaking:") && enough.includes(bump);
    });
  });
  return changes.filter(
    ({ kind, label }) =>
      (kind === "removed" || kind === "changed") &&
      !lines.some((line) => line.includes(`\`${label.replace("~", "")}\``)),
  );
}

/** The bump of a package in a changeset; undefined if the changeset does not list it. */
function bumpOf(text, name) {
  const [, head = ""] = /^---\n([^]*?)\n---/.exec(text) ?? [];
  const line = head.split("\n").find((each) => each.startsWith(`"${name}":`));
  return line?.split(":").at(-1).trim();
}

// The section "Install from a clone" of the README: clones the last commit, packs it, installs from the tarballs, and
// builds a project from a template.
import { mkdtempSync } from "node:fs";
import { dirname, join } from "node:path";
import { followClone } from "../../scripts/follow-clone.mjs";

export async function run(project, { check }) {
  if (project.name !== "qkv") return;
  const outside = mkdtempSync(join(dirname(project.folder), "outside-"));
  await followClone(outside, { check, env: project.env });
  project.installed = true;
}

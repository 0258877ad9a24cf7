// The inputs of the checks of a release: the packages, the workflows and the READMEs of this repository.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { published, readmes } from "../not-published.mjs";
import { pnpm } from "../pack.mjs";
import { publicPackages } from "../packages.mjs";
import { readmesWithCdn } from "./cdn-addresses.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const read = (path) => readFileSync(join(root, path), "utf8");
const withText = (path) => ({ path: relative(root, path), text: readFileSync(path, "utf8") });

/**
 * @param {Map<string, string>} versions - The next version of each package of the workspace.
 * @returns {import("./checklist.mjs").Release}
 */
export function releaseOf(versions) {
  const release = read(".github/workflows/release.yml");
  return {
    packages: publicPackages(),
    versions,
    release,
    site: read(".github/workflows/site.yml"),
    changesets: createRequire(import.meta.url)("@changesets/cli/package.json").version,
    provenance: pnpm(["config", "get", "provenance"], root, environmentOf(release)).trim(),
    published,
    readmes: readmes.map(({ path, line }) => ({ ...withText(path), line })),
    readmesWithCdn: readmesWithCdn.map(withText),
  };
}

/** The environment with what the workflow says of provenance, and nothing of ours. */
function environmentOf(workflow) {
  const rest = Object.entries(process.env).filter(([name]) => !/provenance/i.test(name));
  const settings = [...workflow.matchAll(/^ *(\w*PROVENANCE): "?(\w+)"?/gim)].map(([, name, value]) => [
    name,
    value,
  ]);
  return Object.fromEntries([...rest, ...settings]);
}

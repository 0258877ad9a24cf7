// Entries of the lockfiles that `npm test`, and each separate installation, need on every platform.
import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../", import.meta.url));
const lockfiles = globSync("{.,*}/pnpm-lock.yaml", { cwd: root }).map((path) => ({
  path,
  text: readFileSync(join(root, path), "utf8"),
}));

// These packages declare their platform as a string where pnpm expects a list. pnpm then drops it, and installs the
// Node of another platform too. The lockfile's entry, added by hand, prevents that.
const nodes = lockfiles.flatMap(({ path, text }) => {
  const json = JSON.parse(readFileSync(join(root, dirname(path), "package.json"), "utf8"));
  return Object.entries<string>(json.optionalDependencies ?? {})
    .map(([name, version]) =>
      version.startsWith("npm:") ? version.slice("npm:".length) : `${name}@${version}`,
    )
    .filter((name) => name.startsWith("node-"))
    .map((name) => ({ name, path, text }));
});
test.each(nodes)("$name is for its own platform only, in $path", ({ name, text }) => {
  const [, system, cpu] = name.split("@")[0]?.split("-") ?? [];
  const entry = text.split(`\n  ${name}:\n`)[1]?.split("\n\n")[0];
  expect(entry).toContain(`cpu: [${cpu}]`);
  expect(entry).toContain(`os: [${system === "win" ? "win32" : system}]`);
});

test("lockfiles contain no URL of a registry", () => {
  expect(lockfiles.length).toBeGreaterThan(1);
  for (const { path, text } of lockfiles) expect(text, path).not.toMatch(/https?:\/\//);
});

// What the lockfile must say for `npm test` to work on every platform.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const root = new URL("../", import.meta.url);
const lockfile = readFileSync(new URL("pnpm-lock.yaml", root), "utf8");
const { optionalDependencies } = JSON.parse(readFileSync(new URL("package.json", root), "utf8"));

// These packages write their platform as text where pnpm expects a list, so pnpm leaves it out when it adds them, and
// then installs the Node of another platform beside the right one. Written into the lockfile by hand, it stays.
test.each(Object.entries<string>(optionalDependencies))(
  "%s is for its own platform only",
  (name, version) => {
    const [, system, cpu] = name.split("-");
    const entry = lockfile.split(`\n  ${name}@${version}:\n`)[1]?.split("\n\n")[0];
    expect(entry).toContain(`cpu: [${cpu}]`);
    expect(entry).toContain(`os: [${system === "win" ? "win32" : system}]`);
  },
);

test("no address of a registry is written down", () => {
  expect(lockfile).not.toMatch(/https?:\/\//);
});

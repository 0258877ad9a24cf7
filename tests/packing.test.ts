// Packing checks that the package is built, and starting the site builds the command too.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { dirname, extname, join } from "node:path";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { publicPackages } from "../scripts/packages.mjs";

const root = fileURLToPath(new URL("../", import.meta.url));

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "qkv-pack-"))));
afterAll(() => rmSync(folder, { recursive: true }));

const npm = (cwd: string, ...args: string[]) =>
  spawnSync("npm", args, { cwd, encoding: "utf8", shell: process.platform === "win32" });

test.each(publicPackages().map(({ name, folder: own, json }) => [name, own, json] as const))(
  "%s is not packed without its build",
  (name, own, json) => {
    expect(json.scripts.prepack).toBe("node ../../scripts/built.mjs");
    const copy = join(folder, "packages", own.split(/[\\/]/).at(-1)!);
    mkdirSync(copy, { recursive: true });
    cpSync(join(root, "scripts/built.mjs"), join(folder, "scripts/built.mjs"));
    cpSync(join(own, "package.json"), join(copy, "package.json"));
    const check = () =>
      spawnSync(process.execPath, ["../../scripts/built.mjs"], { cwd: copy, encoding: "utf8" });
    expect(check()).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(new RegExp(`^${name} cannot be packed: it has no \\./.*\\nFix: `)),
    });
    const files = JSON.stringify(json)
      .match(/"\.\/[^"*]+"/g)!
      .map((path) => JSON.parse(path) as string)
      // An entry point, as "./figures", is no file.
      .filter((path) => extname(path) !== "");
    for (const file of files) {
      mkdirSync(join(copy, dirname(file)), { recursive: true });
      if (file !== "./package.json") writeFileSync(join(copy, file), "");
    }
    expect(check()).toMatchObject({ status: 0, stderr: "" });
  },
);

test("npm pack asks", () => {
  const copy = join(folder, "packages", "asked");
  mkdirSync(copy, { recursive: true });
  cpSync(join(root, "scripts/built.mjs"), join(folder, "scripts/built.mjs"));
  cpSync(join(root, "packages/core/package.json"), join(copy, "package.json"));
  const packed = npm(copy, "pack", "--dry-run", "--offline");
  expect([packed.status, packed.stderr]).toEqual([1, expect.stringContaining("@qkv/core cannot be packed")]);
});

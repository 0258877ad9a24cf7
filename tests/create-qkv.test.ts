// The built command create-qkv: copies each template completely, with the versions that the install matrix tests.
import { execFileSync, spawnSync } from "node:child_process";
import { globSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("../", import.meta.url));
const command = join(root, "packages/create-qkv/dist/create-qkv.js");
const read = (...path: string[]) => readFileSync(join(root, ...path), "utf8");
const json = (...path: string[]) => JSON.parse(read(...path)) as Record<string, Record<string, string>>;
const names = readdirSync(join(root, "templates"), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name)
  .sort();

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "qkv-create-"))));
afterAll(() => rmSync(folder, { recursive: true }));

/** Files of a project, without those that installation and builds add. */
const filesOf = (path: string) =>
  globSync("**/{*,.*}", { cwd: path, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1))
    .filter((file) => !/node_modules|^dist|\.next\/|next-env|package-lock|tsbuildinfo/.test(file))
    .sort();

test.each(names)("%s is copied completely, with the version of qkv", (name) => {
  const args = [command, name, "--template", name, "--json"];
  const made = JSON.parse(execFileSync(process.execPath, args, { cwd: folder, encoding: "utf8" }));
  expect(made).toMatchObject({ folder: join(folder, name), template: name });
  expect(made.commands[0]).toBe(`cd ${name}`);
  const files = filesOf(made.folder);
  expect(files).toEqual(filesOf(join(root, "templates", name)));
  for (const file of files)
    expect(readFileSync(join(made.folder, file), "utf8"), file).not.toMatch(/qkv(": "|@)latest/);
  if (!files.includes("package.json")) return;
  const { version } = JSON.parse(read("packages/cli/package.json"));
  const { dependencies } = JSON.parse(readFileSync(join(made.folder, "package.json"), "utf8"));
  expect(dependencies.qkv).toBe(`^${version}`);
});

test("without --json, prints the next commands; refuses a second project in the folder", () => {
  const run = () =>
    spawnSync(process.execPath, [command, "my app", "--template", "node"], { cwd: folder, encoding: "utf8" });
  expect(run().stdout).toMatch(/is ready. Next:\n\n {2}cd "my app"\n {2}npm install\n {2}npm start\n/);
  expect(run()).toMatchObject({ status: 1, stderr: expect.stringContaining("nothing is overwritten") });
});

test("templates use the versions of the install matrix and of this repository", () => {
  const { dependencies: tools } = json("install/package.json");
  const { devDependencies: ours } = json("package.json");
  const site = json("apps/docs/package.json");
  const kind = read("install/kinds/next.mjs");
  const used: Record<string, string | undefined> = {
    vite: tools!["vite"],
    typescript: ours!["typescript"],
    "@types/node": ours!["@types/node"],
    "@types/react": site["devDependencies"]!["@types/react"],
  };
  for (const name of ["next", "react", "react-dom"])
    used[name] = new RegExp(`"${name}@([\\d.]+)"`).exec(kind)?.[1];
  let compared = 0;
  for (const file of globSync("templates/*/package.json", { cwd: root })) {
    const { dependencies, devDependencies } = json(file);
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
      if (name === "qkv") continue;
      expect(version, `${file}: ${name}`).toBe(used[name]);
      compared += 1;
    }
  }
  expect(compared).toBeGreaterThan(6);
});

test("the guide of the chat template shows lines of the template", () => {
  const code = filesOf(join(root, "templates/next"))
    .map((file) => read("templates/next", file))
    .join("\n");
  const flat = (text: string) => text.replace(/\s+/g, " ").trim();
  const blocks = [...read("apps/docs/guides/chat-in-nextjs.mdx").matchAll(/^```tsx?\n(.*?)^```/gms)];
  expect(blocks.length).toBeGreaterThan(3);
  for (const [, block] of blocks) expect(flat(code)).toContain(flat(block!));
});

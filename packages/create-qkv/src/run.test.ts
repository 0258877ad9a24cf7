import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { copyTemplate } from "./copy-template.js";
import { run, type Io } from "./run.js";
import { templates } from "./templates.js";

let root: string;
beforeAll(() => (root = mkdtempSync(join(tmpdir(), "qkv-create-"))));
afterAll(() => rmSync(root, { recursive: true }));

/** Runs the command line; returns the exit code and the output. */
async function runCommand(argv: string[], questions?: Io["questions"]) {
  let [out, err] = ["", ""];
  const code = await run(argv, { out: (text) => (out += text), err: (text) => (err += text), questions });
  return { code, out, err };
}

test("a folder with files, and a file, are refused before the first prompt", async () => {
  const full = join(root, "full");
  mkdirSync(full);
  writeFileSync(join(full, "mine.txt"), "mine");
  const answers = { folder: async () => "", template: async () => "vite" };
  expect(await runCommand([full], answers)).toMatchObject({
    code: 1,
    err: expect.stringMatching(
      /create-qkv: `folder` is .*, expected a folder that is empty .*it has mine.txt/,
    ),
  });
  expect((await runCommand([join(full, "mine.txt")], answers)).err).toMatch(/reading it gives ENOTDIR/);
  expect(readFileSync(join(full, "mine.txt"), "utf8")).toBe("mine");
});

test("an unknown template is refused with the nearest name", async () => {
  const { code, err } = await runCommand([join(root, "new"), "--template", "vit"]);
  expect(code).toBe(1);
  expect(err).toMatch(
    /`template` is "vit", expected one of vite, next, node, worker, html.\nFix: write `vite`/,
  );
});

test("without a terminal, a missing argument is named", async () => {
  expect((await runCommand([])).err).toMatch(/`folder` is undefined, .*no terminal to ask in/);
  expect((await runCommand([join(root, "new")])).err).toMatch(/`template` is undefined/);
  const answers = { folder: async () => "x", template: async () => "vite" };
  expect((await runCommand(["--json"], answers)).err).toMatch(/`folder` is undefined/);
});

test("a cancelled prompt exits with code 130 and creates no folder", async () => {
  const cancelled = { folder: async () => undefined, template: async () => undefined };
  expect(await runCommand([], cancelled)).toEqual({ code: 130, out: "", err: "" });
  expect(await runCommand([join(root, "new")], cancelled)).toEqual({ code: 130, out: "", err: "" });
});

test("unknown options and more than one folder are refused; help lists every template", async () => {
  expect((await runCommand(["--templates", "vite"])).err).toMatch(/`options` is "--templates vite"/);
  expect((await runCommand(["a", "b"])).err).toMatch(/`folder` is "a b", expected one folder/);
  const { code, out } = await runCommand(["--help"]);
  expect(code).toBe(0);
  for (const { name, about } of templates) expect(out).toContain(`${name.padEnd(8)}${about}`);
});

test("a copied template has the project's name and the version of qkv", async () => {
  const url = new URL(`../../../templates/vite/`, import.meta.url);
  const folder = join(root, "My App!");
  await copyTemplate(url, folder, "0.4.2");
  const json = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  expect([json.name, json.dependencies.qkv]).toEqual(["my-app", "^0.4.2"]);
  for (const [version, range] of [
    ["0.4.2", "0.4"],
    ["2.1.0", "2"],
  ] as const) {
    const page = join(root, `html-${range}`);
    await copyTemplate(new URL(`../../../templates/html/`, import.meta.url), page, version);
    const text = readFileSync(join(page, "index.html"), "utf8");
    expect(text).toContain(`/npm/qkv@${range}/dist/browser/qkv.js`);
    expect(text).not.toContain("@latest");
  }
});

test("a template that names a tarball of qkv keeps it", async () => {
  const template = join(root, "packed-template");
  mkdirSync(template);
  const dependencies = { qkv: "file:/clone/packed/qkv.tgz" };
  writeFileSync(join(template, "package.json"), JSON.stringify({ dependencies }));
  const folder = join(root, "from-tarball");
  await copyTemplate(pathToFileURL(`${template}/`), folder, "0.4.2");
  const json = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  expect(json).toEqual({ name: "from-tarball", dependencies });
});

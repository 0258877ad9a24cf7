import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { dataFolder } from "../data-folder.mjs";
import { ownData } from "../reference-data.mjs";
import { scratchData } from "./scratch-data.js";

const text = "\uFEFFé, twice: é";

test("a packed file and an unpacked one are read by the same name", () => {
  const folder = scratchData({
    "a/plain.json": "[1]",
    "a/packed.json.gz": gzipSync("[2]"),
    "a/both.json": "[3]",
    "a/both.json.gz": gzipSync("[4]"),
    "a/b/text.txt.gz": gzipSync(text),
  });
  const data = dataFolder(folder);
  expect(data.names("a")).toEqual(["b", "both.json", "packed.json", "plain.json"]);
  expect(data.names("a", ".json").map((name) => data.json(`a/${name}`))).toEqual([[3], [2], [1]]);
  expect(data.folders("a")).toEqual(["b"]);
  expect(data.files()).toEqual(["a/b/text.txt", "a/both.json", "a/packed.json", "a/plain.json"]);
  expect(data.text("a/b/text.txt")).toBe(text);
  expect(data.has("a/b/text.txt")).toBe(true);
  expect(data.path("a/plain.json")).toBe(join(folder, "a/plain.json"));
});

test("weights packed by planes are unpacked for loaders that open them by path", () => {
  const weights = Uint8Array.from({ length: 4001 }, (_, i) => (i * i) % 251);
  const planes = [0, 1, 2, 3].map((plane) => weights.filter((_, at) => at % 4 === plane));
  const folder = scratchData({
    "data/hf/a/model.safetensors.planes.gz": gzipSync(Buffer.concat(planes)),
    "data/hf/a/config.json": "{}",
    "data/hf/a/refs.json.gz": gzipSync("[1]"),
    "data/hf/b/config.json": "{}",
  });
  const data = dataFolder(join(folder, "data"));
  expect(data.names("hf/a")).toEqual(["config.json", "model.safetensors", "refs.json"]);
  expect(data.has("hf/a/model.safetensors")).toBe(true);
  expect(data.bytes("hf/a/model.safetensors")).toEqual(weights);
  const path = data.path("hf/a");
  expect(readFileSync(join(path, "model.safetensors"))).toEqual(Buffer.from(weights));
  expect(readFileSync(join(path, "refs.json"), "utf8")).toBe("[1]");
  expect(data.path("hf/a")).toBe(path); // again: reuses the unpacked folder
  expect(data.path("hf/b")).toBe(join(folder, "data/hf/b"));
});

test("a missing file gives an error with its name, its folder and the fix; a packed file has no path", () => {
  const folder = scratchData({ "a.json.gz": gzipSync("[]") });
  const data = dataFolder(folder);
  const message = (name: string) => `reference data: \`${name}\` is not in ${folder}.\nFix: restore it`;
  for (const read of [data.bytes, data.text, data.json, data.path]) {
    expect(() => read("b.json")).toThrow(message("b.json"));
  }
  expect(() => data.path("a.json")).toThrow(message("a.json"));
  expect([data.has("b.json"), data.names("b"), data.folders("b"), data.files("b")]).toEqual([
    false,
    [],
    [],
    [],
  ]);
  const nowhere = dataFolder(join(folder, "nowhere"));
  expect(() => nowhere.json("b.json")).toThrow(/nowhere\.\nFix: there is no such folder; let QKV_DATA name/);
});

test("no source reads a folder beside the repository", () => {
  const beside = ["..", "shared", ""].join("/");
  const { stdout, status } = spawnSync("git", ["grep", "-lF", beside], {
    cwd: fileURLToPath(new URL("../../", import.meta.url)),
    encoding: "utf8",
  });
  expect({ stdout, status }).toEqual({ stdout: "", status: 1 }); // 1: no match
});

test("the project's own data is small, and its README has the origin and the licence of every folder", () => {
  const entries = readdirSync(ownData.folder, { recursive: true, withFileTypes: true });
  const sizes = entries
    .filter((entry) => entry.isFile())
    .map((entry) => statSync(join(entry.parentPath, entry.name)).size);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(30e6);
  expect(Math.max(...sizes)).toBeLessThan(4 * 2 ** 20);
  const stored = new Set(entries.map((entry) => join(entry.parentPath, entry.name)));
  const twice = [".gz", ".planes.gz"].flatMap((ending) =>
    [...stored].filter((name) => stored.has(name + ending)),
  );
  expect(twice).toEqual([]); // no file is both packed and unpacked
  const readme = readFileSync(join(ownData.folder, "README.md"), "utf8");
  const rows = readme.split("\n").filter((line) => line.startsWith("| `"));
  const documented = rows.flatMap((row) =>
    [...row.split("|")[1]!.matchAll(/`([^`]+)`/g)].map(([, path]) => path!),
  );
  const untold = ownData
    .files()
    .filter((name) => name.includes("/"))
    .filter((name) => !documented.some((path) => name.startsWith(path.replace(/\*.*$/, ""))));
  expect(untold).toEqual([]);
  for (const path of documented)
    expect(
      ownData.files().some((name) => name.startsWith(path.replace(/\*.*$/, ""))),
      path,
    ).toBe(true);
});

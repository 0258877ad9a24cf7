import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openOutputFile } from "./output-file.js";

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "qkv-output-"))));
afterEach(() => rmSync(folder, { recursive: true }));

test("the file appears when it is finished, whole, and nothing else stays", async () => {
  const path = join(folder, "result.json");
  writeFileSync(path, "old");
  const file = await openOutputFile(path, "--json");
  expect(readFileSync(path, "utf8")).toBe("old");
  await file.finish("new");
  await file.discard();
  expect(readFileSync(path, "utf8")).toBe("new");
  expect(readdirSync(folder)).toEqual(["result.json"]);
});

test("what is discarded leaves no trace", async () => {
  const file = await openOutputFile(join(folder, "result.json"), "--json");
  await file.discard();
  expect(readdirSync(folder)).toEqual([]);
});

test("a link stays a link, and its target gets the text", async () => {
  mkdirSync(join(folder, "there"));
  const [target, link] = [join(folder, "there/target.json"), join(folder, "link.json")];
  writeFileSync(target, "old");
  symlinkSync(target, link);
  await (await openOutputFile(link, "--json")).finish("new");
  expect(readFileSync(target, "utf8")).toBe("new");
});

test.skipIf(process.platform === "win32")("a device is written, never replaced by a file", async () => {
  await (await openOutputFile("/dev/null", "--json")).finish("text");
  expect(statSync("/dev/null").isCharacterDevice()).toBe(true);
});

test("a path that cannot be written is refused at once, with the fix", async () => {
  const fix = /\nFix: name a file in a folder that exists/;
  const nowhere = openOutputFile(join(folder, "no/result.json"), "--json");
  await expect(nowhere).rejects.toThrow(
    /qkv: `--json` is ".*", expected .* is in a folder that does not exist\./,
  );
  await expect(nowhere).rejects.toThrow(fix);
  await expect(openOutputFile(folder, "--json")).rejects.toThrow(/this one is a folder\./);
  writeFileSync(join(folder, "file"), "");
  await expect(openOutputFile(join(folder, "file/x"), "--json")).rejects.toThrow(
    /this one is in what is no folder/,
  );
});

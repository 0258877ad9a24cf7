import { execFileSync } from "node:child_process";
import {
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
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

test("the file appears only when it is complete, and no temporary file remains", async () => {
  const path = join(folder, "result.json");
  writeFileSync(path, "old");
  const file = await openOutputFile(path, "--json");
  expect(readFileSync(path, "utf8")).toBe("old");
  await file.finish("new");
  await file.discard();
  expect(readFileSync(path, "utf8")).toBe("new");
  expect(readdirSync(folder)).toEqual(["result.json"]);
});

test("a discarded file leaves no files", async () => {
  const file = await openOutputFile(join(folder, "result.json"), "--json");
  await file.discard();
  expect(readdirSync(folder)).toEqual([]);
});

test("a symbolic link is kept, and the text is written to its target", async () => {
  mkdirSync(join(folder, "there"));
  const [target, link] = [join(folder, "there/target.json"), join(folder, "link.json")];
  writeFileSync(target, "old");
  symlinkSync(target, link);
  await (await openOutputFile(link, "--json")).finish("new");
  expect(readFileSync(target, "utf8")).toBe("new");
});

// A pipe, as an example of what is not an ordinary file. Never try this on /dev/null: the code under test may be broken.
test.skipIf(process.platform === "win32")("a pipe is written, never replaced by a file", async () => {
  const pipe = join(folder, "pipe");
  execFileSync("mkfifo", [pipe]);
  const reader = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK);
  try {
    await (await openOutputFile(pipe, "--json")).finish("text");
    expect(statSync(pipe).isFIFO()).toBe(true);
    const received = Buffer.alloc(8);
    expect(received.toString("utf8", 0, readSync(reader, received))).toBe("text");
  } finally {
    closeSync(reader);
  }
});

test("of two concurrent writers, the file has the text of the last to finish, unmixed", async () => {
  const path = join(folder, "result.json");
  const [first, second] = [await openOutputFile(path, "--json"), await openOutputFile(path, "--json")];
  await second.finish("second");
  await first.finish("first");
  expect(readFileSync(path, "utf8")).toBe("first");
  expect(readdirSync(folder)).toEqual(["result.json"]);
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
    /this one is in a path that is not a folder/,
  );
});

test.skipIf(process.platform !== "linux")("a full disk is refused by name", async () => {
  const file = await openOutputFile("/dev/full", "--json");
  await expect(file.finish("text")).rejects.toThrow(
    /`--json` is "\/dev\/full", expected .* this one is on a full disk.\nFix: make room, or name a file/,
  );
  await file.discard();
});

import { capturedOutput } from "@qkv/test-support/captured-output";
import { nameListOf } from "@qkv/test-support/name-list";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "./run.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "qkv-names-"));
  writeFileSync(join(folder, "config.json"), '{ "layer": 2 }');
  for (let i = 0; i < 9; i++) writeFileSync(join(folder, `tinystories-${i}.gguf`), "");
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A call that throws what a command writes to stderr, and the output of `--help`. */
const failing =
  (...argv: string[]) =>
  async () => {
    const { streams, written } = capturedOutput();
    await run(argv, streams);
    throw new Error(written.err);
  };
async function help(command: string): Promise<string> {
  const { streams, written } = capturedOutput();
  await run([command, "--help"], streams);
  return written.out;
}

test("the error about an unknown name in a configuration shows the nearest, and `qkv train --help` lists all", async () => {
  const { shown, count, list } = await nameListOf(
    failing("train", "--config", join(folder, "config.json"), "--out", join(folder, "out")),
  );
  expect([shown, list]).toEqual([["layers"], "`qkv train --help`"]);
  const listed = (await help("train")).match(/^ +(?:-\w, )?--(?!help|config)[\w-]+/gm)!;
  expect(count).toBe(new Set(listed).size);
});

test("the error about a file that does not exist shows files of the folder", async () => {
  expect(await nameListOf(failing("generate", join(folder, "qwen.gguf")))).toEqual({
    shown: ["tinystories-0.gguf", "tinystories-1.gguf", "tinystories-2.gguf"],
    count: 9,
    list: "the folder",
  });
});

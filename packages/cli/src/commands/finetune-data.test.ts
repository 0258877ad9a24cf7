import { capturedOutput } from "@qkv/test-support/captured-output";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "../run.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "qkv-finetune-refusals-"));
  writeFileSync(join(folder, "story.txt"), "Once upon a time\nthere was a fox.\n");
});
afterAll(() => rmSync(folder, { recursive: true }));

async function finetune(...argv: string[]) {
  const { streams, written } = capturedOutput();
  const code = await run(["finetune", "@qkv/model-tiny", ...argv, "--device", "js"], streams);
  return { code, ...written };
}

test("plain text is refused with its line and the form of the data, and leaves no folder behind", async () => {
  const data = join(folder, "story.txt");
  const { code, err } = await finetune(data, "--out", join(folder, "a/b"));
  expect(code).toBe(1);
  expect(err).toMatch(
    /^qkv: `data: line 1` is "Once upon a time", expected a JSON value on one line\.\nFix: write one object a line: .* or \{"text": "…"\}\.\n$/,
  );
  expect(existsSync(join(folder, "a"))).toBe(false);
});

test("other data that cannot be read are refused by the name of the argument", async () => {
  const empty = join(folder, "empty.jsonl");
  writeFileSync(empty, "");
  const latin = join(folder, "latin.jsonl");
  writeFileSync(latin, Uint8Array.of(34, 233, 34));
  const refusal = async (...argv: string[]) => (await finetune(...argv, "--out", join(folder, "none"))).err;
  expect(await refusal(folder)).toMatch(
    /^qkv: `data` is ".*", expected a file of JSON lines.* is a folder\.\nFix: /,
  );
  expect(await refusal(empty)).toMatch(/^qkv finetune: `data` is "a source without a target/);
  expect(await refusal(latin)).toMatch(
    /^qkv: `data: line 1` is "bytes that are not UTF-8".*\nFix: convert the file/,
  );
  expect(await refusal(empty, "--evaluate", join(folder, "story.txt"))).toMatch(
    /^qkv: `--evaluate: line 1` is "Once/,
  );
});

test("after a refusal, a folder that was there stays, and a folder that was created inside it is removed", async () => {
  const out = join(folder, "mine");
  mkdirSync(out);
  const { code } = await finetune(join(folder, "story.txt"), "--out", join(out, "run"));
  expect([code, existsSync(out), existsSync(join(out, "run"))]).toEqual([1, true, false]);
  await finetune(join(folder, "story.txt"), "--out", out);
  expect(existsSync(out)).toBe(true);
});

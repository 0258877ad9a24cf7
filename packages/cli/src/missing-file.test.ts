import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { run } from "./run.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "qkv-missing-"));
  mkdirSync(join(folder, "models"));
  for (const name of ["qwen3-0.6b.gguf", "gemma.gguf", "tokenizer.json"])
    writeFileSync(join(folder, "models", name), "");
});
afterAll(() => rmSync(folder, { recursive: true }));

async function recorded(...argv: string[]) {
  let err = "";
  const fetched = vi.spyOn(globalThis, "fetch").mockRejectedValue(new Error("the network was used"));
  try {
    const code = await run(argv, {
      in: (async function* () {})(),
      out: { write: () => undefined },
      err: { write: (text) => (err += text) },
      color: false,
    });
    return { code, err, requestCount: fetched.mock.calls.length };
  } finally {
    fetched.mockRestore();
  }
}

test.each(["generate", "chat", "bench", "eval", "embed", "inspect"])(
  "%s: a misspelled path is not requested as a repository, and the error has the nearest name",
  async (command) => {
    const { code, err, requestCount } = await recorded(command, join(folder, "models", "qwen3-0.6.gguf"));
    expect([code, requestCount]).toEqual([1, 0]);
    expect(err).toMatch(
      /^qkv: `model` is ".*qwen3-0\.6\.gguf", expected a file or folder that can be read, and this one does not exist\.\nFix: write .*qwen3-0\.6b\.gguf, which is there\.\n$/,
    );
  },
);

test("a relative path like owner/name is a path if it has the extension of a model", async () => {
  const { err, requestCount } = await recorded("generate", "models/typo.gguf");
  expect(requestCount).toBe(0);
  expect(err).toMatch(
    /`model` is "models\/typo\.gguf", .* does not exist\.\nFix: there is no folder models; check/,
  );
});

test("if no name is near, files with the same extension are listed", async () => {
  const { err } = await recorded("generate", join(folder, "models", "x.gguf"));
  expect(err).toMatch(/Fix: choose a file in .*models: gemma\.gguf, qwen3-0\.6b\.gguf\.\n$/);
});

test("a configuration has a size limit, and folders and special files are refused", async () => {
  const [vast, run] = [join(folder, "vast.json"), join(folder, "run")];
  writeFileSync(vast, "{}");
  truncateSync(vast, 1e9);
  for (const argv of [
    ["cost", vast],
    ["train", "--config", vast, "--out", run],
    ["train", "--tokenizer", vast, "--out", run, vast],
  ]) {
    const { code, err } = await recorded(...argv);
    expect([code, err], argv[0]!).toEqual([
      1,
      expect.stringMatching(
        /^qkv.*: `.*vast.json` is "1000000000 bytes", expected at most \d+ bytes, the limit of a /,
      ),
    ]);
  }
  for (const argv of [
    ["cost", "/dev/zero"],
    ["train", "--config", folder, "--out", run],
  ]) {
    const { code, err } = await recorded(...argv);
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(/expected a file that can be read, and this one is a /),
    ]);
  }
});

test("export and cost refuse a missing model with the error of other commands", async () => {
  const gone = join(folder, "models", "gema.gguf");
  for (const argv of [
    ["export", gone, join(folder, "out"), "--to", "hf"],
    ["cost", gone],
    ["generate", "@qkv/model-tiny", "--tokenizer", gone],
    ["tokenize", "--tokenizer", gone],
    ["train", gone, "--out", join(folder, "run")],
    ["eval", "@qkv/model-tiny", gone],
    ["train", "--config", gone, "--out", join(folder, "run")],
  ]) {
    const { code, err } = await recorded(...argv);
    expect(code).toBe(1);
    expect(err).not.toMatch(/ENOENT|defect/);
    if (!argv.includes("@qkv/model-tiny") || argv[0] === "eval")
      expect(err).toMatch(/does not exist\.\nFix: write .*gemma\.gguf, which is there/);
  }
  const folderless = await recorded("cost", join(folder, "models"));
  expect(folderless.err).toMatch(/does not exist\.\nFix: /);
});

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

test("a name without an owner is a path, and a misspelled name of the embedded model gets its own", async () => {
  for (const name of ["gpt2", "model-tiny", "qkv/model-tiny"]) {
    const { code, err, requestCount } = await recorded("inspect", name);
    expect([code, requestCount, err]).toEqual([
      1,
      0,
      expect.stringContaining(`qkv: \`model\` is "${name}", expected `),
    ]);
    expect(err).toMatch(
      name === "gpt2"
        ? /Fix: name a path, or a repository as owner\/name; @qkv\/model-tiny is part/
        : /Fix: write @qkv\/model-tiny, which is part of the package\.\n$/,
    );
  }
});

test("a file that is no model is refused as one, not read as a llama2.c checkpoint", async () => {
  const text = join(folder, "story.txt");
  writeFileSync(text, "Once upon a time");
  const inspected = await recorded("inspect", text);
  expect(inspected).toMatchObject({ code: 1, requestCount: 0 });
  expect(inspected.err).toMatch(
    /^qkv inspect: `.*story\.txt: first bytes` is "Once", expected the start of a GGUF file or of a llama2\.c checkpoint\.\nFix: give a model: a folder with config\.json and model\.safetensors, a GGUF file, or a llama2\.c checkpoint\.\n$/,
  );
  const cut = join(folder, "pytorch_model.bin");
  writeFileSync(cut, "PK\u0003\u0004".padEnd(64, "model"));
  expect((await recorded("cost", cut)).err).toMatch(
    /^qkv cost: `model` is ".*pytorch_model\.bin", expected a llama2\.c checkpoint, and this file does not begin with the sizes of one\.\nFix: give the config\.json/,
  );
  expect((await recorded("train", text, "--tokenizer", text, "--out", join(folder, "run"))).err).toMatch(
    /^qkv: `--tokenizer` is ".*story\.txt", expected a tokenizer\.json, and this one is not JSON\.\nFix: `qkv train-tokenizer` makes one/,
  );
  expect((await recorded("verify", text)).err).toMatch(
    /^qkv: `model` is ".*story\.txt", expected .*, and this is a file\.\nFix: /,
  );
  const empty = join(folder, "nothing");
  mkdirSync(empty);
  expect((await recorded("verify", empty)).err).toMatch(
    /^qkv: `model` is ".*nothing", expected .*, and this one is empty\.\nFix: /,
  );
  expect((await recorded("tokenize", "--tokenizer", empty)).err).toMatch(
    /^qkv tokenize: `--tokenizer` is ".*nothing"/,
  );
  expect((await recorded("cost", text)).err).toMatch(
    /^qkv cost: `model` is ".*story\.txt", expected a config\.json, a folder with one, or a llama2\.c checkpoint, and this one is not JSON\.\nFix: give the config\.json of the model\.\n$/,
  );
});

import { writeSafetensorsHeader } from "@qkv/core";
import { capturedOutput } from "@qkv/test-support/captured-output";
import * as tokenizers from "@qkv/tokenizer";
import * as models from "@qkv/transformer";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { casesByTier } from "../../../scripts/tier.mjs";
import { run } from "./run.js";

let root: string;
const path = (name: string) => join(root, name);
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "qkv-errors-"));
  for (const name of ["empty", "images", "later"]) mkdirSync(path(name));
  const files: Record<string, string | Uint8Array> = {
    "story.txt": "Once upon a time",
    "other.json": '{"a":1}',
    "short.gguf": "GGUF",
    "zero.bin": new Uint8Array(28),
    "images/config.json": '{"model_type":"vit"}',
    "images/model.safetensors": writeSafetensorsHeader([]),
    "later/config.json": '{"model_type":"of_tomorrow"}',
    "later/model.safetensors": writeSafetensorsHeader([]),
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(path(name), content);
});
afterAll(() => rmSync(root, { recursive: true }));

const inputs = "story.txt other.json short.gguf zero.bin empty images later none model-tiny".split(" ");

/** Command lines that misuse an input. */
const misuses: Readonly<Record<string, (input: string) => string[]>> = {
  generate: (input) => ["generate", input, "--tokenizer", path("story.txt")],
  adapter: (input) => ["generate", "@qkv/model-tiny", "--prompt", "a", "--adapter", input],
  tokenizer: (input) => ["embed", path("images"), "a", "--tokenizer", input],
  chat: (input) => ["chat", input, "--tokenizer", path("story.txt")],
  eval: (input) => ["eval", input, path("story.txt"), "--tokenizer", path("story.txt")],
  bench: (input) => ["bench", input, "--tokenizer", path("story.txt")],
  embed: (input) => ["embed", input, "a", "--tokenizer", path("story.txt")],
  export: (input) => ["export", input, path("out"), "--to", "hf"],
  inspect: (input) => ["inspect", input],
  cost: (input) => ["cost", input],
  tokenize: (input) => ["tokenize", "--tokenizer", input],
  lens: (input) => ["lens", "onnx", input],
  "train --tokenizer": (input) => ["train", path("story.txt"), "--tokenizer", input, "--out", path("out")],
  "train --init": (input) => ["train", path("story.txt"), "--init", input, "--out", path("out")],
  "train --config": (input) => ["train", path("story.txt"), "--config", input, "--out", path("out")],
  finetune: (input) => ["finetune", "@qkv/model-tiny", input, "--out", path("out"), "--device", "js"],
};

/** Functions of the library, as an error would write a call or the name of one. */
const functions = Object.entries({ ...models, ...tokenizers })
  .filter(([, value]) => typeof value === "function")
  .map(([name]) => name);
const libraryCall = new RegExp(`\`(?:await )?(?:${functions.join("|")})[\`(]`);

// `finetune` loads its model for each input. finetune-data.test.ts has what it says of its data.
test.each(casesByTier(Object.keys(misuses), (kind) => kind !== "finetune"))(
  "errors of %s name the command, and no function of the library",
  async (kind) => {
    for (const input of inputs) {
      const { streams, written } = capturedOutput();
      const argv = misuses[kind]!(input === "model-tiny" ? input : path(input));
      const code = await run(argv, streams);
      const command = argv.join(" ");
      if (code === 0) expect([kind, input], command).toEqual(["cost", "images"]);
      else expect([code, written.err], command).toEqual([1, expect.stringMatching(/^qkv\b.*\nFix: /)]);
      expect(written.err, command).not.toMatch(/defect|ENOENT|EISDIR/);
      const ownWords = written.err.replace(/write a program: .*/, "");
      expect(ownWords, command).not.toMatch(libraryCall);
    }
  },
);

/** Command lines that write a file at `out`. */
const writers: Readonly<Record<string, (out: string) => string[]>> = {
  generate: (out) => ["generate", "--json", out],
  chat: (out) => ["chat", "--json", out],
  eval: (out) => ["eval", "@qkv/model-tiny", "--json", out],
  bench: (out) => ["bench", "@qkv/model-tiny", "--json", out],
  embed: (out) => ["embed", path("images"), "a", "--json", out],
  inspect: (out) => ["inspect", "@qkv/model-tiny", "--json", out],
  cost: (out) => ["cost", path("images"), "--json", out],
  verify: (out) => ["verify", path("images"), "--json", out],
  tokenize: (out) => ["tokenize", "--tokenizer", path("story.txt"), "--json", out],
  "check-gpu": (out) => ["check-gpu", "--json", out],
  lens: (out) => ["lens", "onnx", path("story.txt"), "--json", out],
  "train-tokenizer": (out) => ["train-tokenizer", path("story.txt"), "--vocab-size", "256", "--out", out],
  "train-tokenizer --json": (out) => [
    "train-tokenizer",
    path("story.txt"),
    "--vocab-size",
    "256",
    "--out",
    path("t.json"),
    "--json",
    out,
  ],
  "train --json": (out) => ["train", path("story.txt"), "--out", path("run"), "--json", out],
  "finetune --json": (out) => [
    "finetune",
    "@qkv/model-tiny",
    path("story.txt"),
    "--out",
    path("run"),
    "--json",
    out,
  ],
  "export --json": (out) => ["export", "@qkv/model-tiny", path("run"), "--to", "hf", "--json", out],
  export: (out) => ["export", "@qkv/model-tiny", out, "--to", "hf"],
};

test.each(Object.keys(writers))(
  "%s refuses a file below a missing folder or a file, with the fix",
  async (kind) => {
    const reasons = {
      "none/out.json": "in a folder that does not exist",
      "story.txt/out.json": "in a path that is not a folder",
    };
    // `qkv export` makes the folders above its output.
    const paths = Object.entries(reasons).slice(kind === "export" ? 1 : 0);
    const before = readdirSync(root);
    for (const [out, reason] of paths) {
      const { streams, written } = capturedOutput();
      expect(await run(writers[kind]!(path(out)), streams)).toBe(1);
      expect(written.err).toMatch(
        new RegExp(
          `^qkv: \`(--json|--out|out)\` is ".*${out}", expected .* is ${reason}\\.\nFix: name a file in a folder that exists`,
        ),
      );
    }
    expect(readdirSync(root)).toEqual(before);
  },
);

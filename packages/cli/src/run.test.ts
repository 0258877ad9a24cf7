import { expect, test } from "vitest";
import { run } from "./index.js";

const wrong = ["generate", "model.bin", "--tokenizer", "tok.bin", "--top-p", "3"];

/** Runs a command line and gives its exit code and all that it wrote. */
async function recorded(argv: readonly string[], more: { color?: boolean; signal?: AbortSignal } = {}) {
  let [out, err] = ["", ""];
  const code = await run(argv, {
    out: { write: (text) => (out += text) },
    err: { write: (text) => (err += text) },
    ...more,
  });
  return { code, out, err };
}

test("help is a result, a wrong word is an error", async () => {
  expect(await recorded(["--help"])).toMatchObject({
    code: 0,
    out: expect.stringContaining("generate"),
    err: "",
  });
  expect(await recorded(["--halp"])).toMatchObject({
    code: 1,
    out: "",
    err: expect.stringContaining("--halp"),
  });
});

test("an error is red where colours are taken, and plain elsewhere", async () => {
  const message = "qkv: `--top-p` is 3, expected a number above 0, at most 1.";
  const plain = await recorded(wrong, { color: false });
  expect(plain.err.split("\n")[0]).toBe(message);
  const colored = await recorded(wrong, { color: true });
  expect(colored.err.split("\n")[0]).toBe(`\u001B[31m${message}\u001B[39m`);
  expect(colored.err.split("\n").slice(1)).toEqual(plain.err.split("\n").slice(1));
});

test("an abort gives 130, in silence", async () => {
  const signal = AbortSignal.abort();
  const argv = ["generate", "model.bin", "--tokenizer", "tok.bin"];
  expect(await recorded(argv, { signal })).toEqual({ code: 130, out: "", err: "" });
});

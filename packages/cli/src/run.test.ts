import { expect, test } from "vitest";
import { printer } from "./printer.js";
import { progressLine } from "./progress-line.js";
import { run } from "./run.js";

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

test("help goes to standard output, an unknown command is an error", async () => {
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

test("an error is red if colours are supported, and plain otherwise", async () => {
  const message = "qkv: `--top-p` is 3, expected a number above 0, at most 1.";
  const plain = await recorded(wrong, { color: false });
  expect(plain.err.split("\n")[0]).toBe(message);
  const colored = await recorded(wrong, { color: true });
  expect(colored.err.split("\n")[0]).toBe(`\u001B[31m${message}\u001B[39m`);
  expect(colored.err.split("\n").slice(1)).toEqual(plain.err.split("\n").slice(1));
});

test("an abort gives exit code 130 and prints nothing", async () => {
  const signal = AbortSignal.abort();
  const argv = ["generate", "model.bin", "--tokenizer", "tok.bin"];
  expect(await recorded(argv, { signal })).toEqual({ code: 130, out: "", err: "" });
});

test("on a terminal, control characters of names, values and results are escaped", async () => {
  let [out, err] = ["", ""];
  const io = {
    in: (async function* () {
      yield "a\u001b[2J\u009b31m\u202eb\r\n";
    })(),
    out: { isTTY: true, write: (text: string) => (out += text) },
    err: { isTTY: true, write: (text: string) => (err += text) },
    color: false,
  };
  expect(await run(["cost", "gone\u001b[1A\u0007.json"], io)).toBe(1);
  expect(err).toMatch(/gone\\u001b\[1A\\u0007\.json/);
  const steering = /[^\P{Cc}\n\t]|\p{Bidi_Control}/u;
  expect(err).not.toMatch(steering);
  printer(io.out).write("a token \u001b[2J\u202e of a vocabulary\n");
  expect(out).toBe("a token \\u001b[2J\\u202e of a vocabulary\n");
  // Streams that are no terminal get plain output.
  const lines: string[] = [];
  printer({ write: (text) => lines.push(text) }).write("\u001b");
  progressLine(printer({ isTTY: true, write: (text) => lines.push(text) })).show(undefined, "x\u001b.gguf");
  expect(lines).toEqual(["\u001b", "\r\u001B[2Kx\\u001b.gguf"]);
});

// The command as users have it: the built packages/cli/dist/qkv.js, in a child process.
import { spawn, spawnSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { referenceData } from "../conformance/reference-data.mjs";

const root = fileURLToPath(new URL("../", import.meta.url));
const command = join(root, "packages/cli/dist/qkv.js");

const qkv = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...args], { encoding: "utf8" });
  return { status, stdout, stderr };
};

/** A model with a known output: each token determines the next. */
const tokens = ["?", "^", "$", " ", "a", "b", "c", "."];
const next: Record<string, string> = {
  "^": " ",
  " ": "a",
  a: "b",
  b: "c",
  c: "a",
  ".": "^",
  "?": "?",
  $: "$",
};
const contextLength = 4096;

/** Layers of zeros pass each token's one-hot vector on; the output matrix maps it to the next token. */
function checkpoint(): Uint8Array {
  const [V, C, F, L, H, Hkv] = [tokens.length, tokens.length, 2, 1, 2, 1];
  const identity = tokens.flatMap((row) => tokens.map((column) => (row === column ? 1 : 0)));
  const successor = tokens.flatMap((row) => tokens.map((column) => (next[column] === row ? 1 : 0)));
  const ones = new Array<number>(C).fill(1);
  const zeros = (count: number) => new Array<number>(count).fill(0);
  const weights = [
    identity, // tok_emb [V, C]
    ones, // att_norm
    zeros(C * C + 2 * C * (C / 2) + C * C), // wq, wk, wv, wo
    ones, // ffn_norm
    zeros(3 * C * F), // w1, w2, w3
    ones, // final_norm
    zeros(contextLength * (C / H)), // rotary angles, which are not read
    successor, // wcls [V, C]
  ].flat();
  const header = Int32Array.of(C, F, L, H, Hkv, -V, contextLength); // a negative vocabulary size: the file contains wcls
  return Buffer.concat([Buffer.from(header.buffer), Buffer.from(Float32Array.from(weights).buffer)]);
}

function tokenizerFile(pieces: readonly string[]): Uint8Array {
  return Uint8Array.from([
    ...[1, 0, 0, 0],
    ...pieces.flatMap((piece) => [0, 0, 0, 0, 1, 0, 0, 0, piece.charCodeAt(0)]),
  ]);
}

let folder: string;
let model: string;
let tokenizer: string;
const generate = (...args: string[]) =>
  qkv("generate", model, "--tokenizer", tokenizer, "--temperature", "0", "--max-tokens", "5", ...args);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "qkv-cli-"));
  [model, tokenizer] = [join(folder, "model.bin"), join(folder, "tokenizer.bin")];
  writeFileSync(model, checkpoint());
  writeFileSync(tokenizer, tokenizerFile(tokens));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("qkv generate", () => {
  test("prints the text and one newline to standard output, the speed to standard error", () => {
    const { status, stdout, stderr } = generate("--prompt", "a");
    expect(stdout).toBe("abcabc\n");
    expect(stderr).toMatch(/^5 tokens in \d+\.\d\d s, \d+\.\d tokens\/s\n$/);
    expect(status).toBe(0);
    expect(generate().stdout).toBe("abca\n"); // the space after the beginning is not text
  });

  test("--json prints a single object", () => {
    const { status, stdout, stderr } = generate("--prompt", "a", "--json");
    expect(JSON.parse(stdout)).toEqual({
      prompt: "a",
      promptTokens: [1, 3, 4],
      tokens: [5, 6, 4, 5, 6],
      text: "abcabc",
      timings: {
        loadMs: expect.any(Number),
        firstTokenMs: expect.any(Number),
        generateMs: expect.any(Number),
        tokensPerSecond: expect.any(Number),
      },
    });
    expect(stdout, "--json ends with a line break, for tools that read lines").toMatch(/\}\n$/);
    expect(stderr).toMatch(/^5 tokens in/);
    expect(status).toBe(0);
  });

  test("--json FILE writes the object to the file and the text to standard output", () => {
    const result = join(folder, "result.json");
    expect(generate("--prompt", "a", "--json", result)).toMatchObject({ status: 0, stdout: "abcabc\n" });
    expect(JSON.parse(readFileSync(result, "utf8"))).toMatchObject({
      text: "abcabc",
      tokens: [5, 6, 4, 5, 6],
    });
    rmSync(result);
    expect(readdirSync(folder).sort()).toEqual(["model.bin", "tokenizer.bin"]);
  });

  test("a stop token of the model ends the text", () => {
    expect(generate("--prompt", ".")).toMatchObject({ status: 0, stdout: ".\n" });
    const { timings, ...rest } = JSON.parse(generate("--prompt", ".", "--json").stdout);
    expect(rest).toEqual({ prompt: ".", promptTokens: [1, 3, 7], tokens: [], text: "." });
    expect(timings.firstTokenMs).toBe(null);
  });

  test("a seed reproduces the text, and standard error prints a random seed", () => {
    const warm = (...args: string[]) =>
      generate("--prompt", "a", "--temperature", "9", "--top-p", "1", ...args);
    const first = warm("--max-tokens", "40");
    const seed = /, seed (\d+)\n$/.exec(first.stderr)?.[1];
    expect(warm("--max-tokens", "40", "--seed", String(seed)).stdout).toBe(first.stdout);
    // Two seeds may generate the same text; six do not.
    const texts = [1, 2, 3, 4, 5, 6].map((seed) => warm("--max-tokens", "40", "--seed", String(seed)).stdout);
    expect(new Set(texts).size).toBeGreaterThan(1);
  });

  test("no colours without a terminal", () => {
    expect(generate("--device", "abacus").stderr).not.toContain("\u001B");
  });
});

describe("help and version", () => {
  test("are on standard output", () => {
    expect(qkv("--help")).toMatchObject({
      status: 0,
      stderr: "",
      stdout: expect.stringContaining("generate"),
    });
    const help = qkv("generate", "--help");
    expect(help).toMatchObject({ status: 0, stderr: "" });
    const options = [
      "tokenizer",
      "prompt",
      "max-tokens",
      "temperature",
      "top-p",
      "seed",
      "device",
      "cache",
      "json",
      "help",
    ];
    for (const option of options) expect(help.stdout).toContain(`--${option}`);
    const { version } = JSON.parse(readFileSync(join(root, "packages/cli/package.json"), "utf8"));
    expect(qkv("--version")).toEqual({ status: 0, stdout: `${version}\n`, stderr: "" });
  });

  test("without a command, the help is printed to standard error", () => {
    expect(qkv()).toMatchObject({ status: 1, stdout: "", stderr: expect.stringContaining("Usage: qkv") });
  });
});

describe("an error is one line, with the fix", () => {
  const refused = ({ status, stdout, stderr }: ReturnType<typeof qkv>, message: RegExp) => {
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^[^\n]+\nFix: [^\n]+\n$/);
    expect(stdout).toBe("");
    expect(status).toBe(1);
  };

  test.each([
    [
      "--temperature",
      "abc",
      /^qkv: `--temperature` is "abc", expected a number, 0 or more\.\nFix: use 0 for/,
    ],
    ["--temperature", "-1", /`--temperature` is -1, expected a number, 0 or more/],
    [
      "--max-tokens",
      "-1",
      /`--max-tokens` is -1, expected an integer number of tokens, 0 or more\.\nFix: give the most/,
    ],
    ["--max-tokens", "2.5", /`--max-tokens` is 2\.5, expected an integer/],
    ["--top-p", "3", /`--top-p` is 3, expected a number above 0, at most 1\.\nFix: use 1 to/],
    ["--top-p", "0", /`--top-p` is 0, expected a number above 0/],
    ["--seed", "x", /`--seed` is "x", expected an integer\.\nFix: give any/],
    [
      "--device",
      "abacus",
      /`--device` is "abacus", expected a device: js, wasm\[,threads=N\]\[,plain\|relaxed\], webgpu, gpu:webasm, auto\.\nFix: leave --device out/,
    ],
    ["--colour", "red", /^error: unknown option '--colour'\nFix: add --help/],
  ])("%s %s", (option, value, message) => {
    refused(generate(option, value), message);
  });

  test("a wrong path", () => {
    const gone = join(folder, "gone.bin");
    const message =
      /gone\.bin", expected a.* file or folder that can be read, and this one does not exist\.\nFix: choose a file in .*: model\.bin, tokenizer\.bin\./;
    refused(qkv("generate", gone, "--tokenizer", tokenizer), message);
    refused(qkv("generate", model, "--tokenizer", gone), message);
    refused(
      qkv("generate", folder, "--tokenizer", tokenizer),
      /expected a folder with config\.json: the configuration of the model/,
    );
  });

  test("a checkpoint cut short", () => {
    const cut = join(folder, "cut.bin");
    for (const [length, field] of [
      [10, "n_layers"],
      [100, "tok_emb"],
      [checkpoint().length - 4, "wcls"],
    ] as const) {
      writeFileSync(cut, checkpoint().slice(0, length));
      refused(
        qkv("generate", cut, "--tokenizer", tokenizer),
        new RegExp(`qkv generate: .*cut\\.bin: ${field}\` is "`),
      );
    }
    rmSync(cut);
  });

  test("a tokenizer of another size, a damaged one, and files given the wrong way round", () => {
    const other = join(folder, "other.bin");
    writeFileSync(other, tokenizerFile([...tokens, "d"]));
    refused(
      qkv("generate", model, "--tokenizer", other),
      /9 tokens.*expected the 8 tokens of the model\.\nFix: use/,
    );
    writeFileSync(other, tokenizerFile(tokens).slice(0, -1));
    refused(qkv("generate", model, "--tokenizer", other), /tokens\[7\]\.bytes` is .*, expected 1 bytes/);
    rmSync(other);
    refused(qkv("generate", tokenizer, "--tokenizer", model), /qkv generate: .*tokenizer\.bin: /);
  });

  test("an output path that cannot be written is refused before the work", () => {
    const path = join(folder, "no", "result.json");
    refused(
      generate("--json", path),
      /`--json` is ".*result\.json", expected .* is in a folder that does not exist/,
    );
    refused(
      generate("--json", folder),
      /`--json` is ".*", expected a file that can be written, .* is a folder/,
    );
  });

  test("a prompt with an unknown token, or longer than the context", () => {
    refused(generate("--prompt", "x"), /`text` is "x", expected text of characters that the vocabulary has/);
    refused(
      generate("--prompt", "a".repeat(contextLength)),
      /`prompt` is "4098 tokens", expected at most 4096/,
    );
  });

  test("a tokenizer without its model, no tokenizer, an unquoted prompt, an unknown command", () => {
    refused(
      qkv("generate", "--tokenizer", tokenizer),
      /^qkv: `--tokenizer` is ".*", expected nothing beside @qkv\/model-tiny, which brings its own/,
    );
    refused(
      qkv("generate", model),
      /^error: required option '--tokenizer <file>' not specified\nFix: add --help/,
    );
    refused(generate("--prompt", "a", "b"), /^error: too many arguments for 'generate'/);
    refused(qkv("frobnicate"), /^error: unknown command 'frobnicate'/);
    expect(qkv("genrate").stderr).toContain("Did you mean generate?");
  });
});

describe("an early end", () => {
  /** A generation that keeps running after its first text is printed. */
  const running = async () => {
    const long = ["--temperature", "0", "--max-tokens", "4000"];
    const child = spawn(process.execPath, [command, "generate", model, "--tokenizer", tokenizer, ...long]);
    const seen = { stdout: "", stderr: "" };
    child.stderr.on("data", (text) => (seen.stderr += text));
    const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
    await new Promise((resolve) => child.stdout.once("data", resolve));
    child.stdout.on("data", (text) => (seen.stdout += text));
    return { child, seen, ended };
  };

  test.skipIf(process.platform === "win32")("Ctrl-C exits with 130 and prints nothing", async () => {
    const { child, seen, ended } = await running();
    child.kill("SIGINT");
    expect(await ended).toBe(130);
    expect(seen.stderr).toBe("");
    expect(seen.stdout.length).toBeLessThan(4000);
    expect(seen.stdout, "output ends with a line break, so that the prompt stands on its own line").toMatch(
      /\n$/,
    );
  });

  const waiting = [
    ["chat", () => [model, "--tokenizer", tokenizer]],
    ["eval", () => [model, "--tokenizer", tokenizer]],
    ["tokenize", () => ["--tokenizer", tokenizer]],
    ["train", () => ["--out", join(folder, "run")]],
    ["train-tokenizer", () => ["--out", join(folder, "t.json"), "--vocab-size", "300"]],
  ] as const;
  test.skipIf(process.platform === "win32").each(waiting)(
    "Ctrl-C leaves %s, which waits for what nobody types",
    async (name, args) => {
      // Standard input stays open, as in a terminal.
      const child = spawn(process.execPath, [command, name, ...args()]);
      let output = "";
      child.stderr.on("data", (text) => (output += text));
      child.stdout.resume();
      const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
      // It waits for input when it has asked for it, or has read more than what lies between two processes.
      const waits = new Promise<undefined>((resolve) => {
        if (name === "chat") child.stderr.once("data", () => resolve(undefined));
        else child.stdin.write("a".repeat(2 ** 22), () => resolve(undefined));
      });
      expect([await Promise.race([ended, waits]), output]).toEqual([
        undefined,
        name === "chat" ? expect.anything() : "",
      ]);
      child.kill("SIGINT");
      expect(await ended).toBe(130);
    },
    300_000,
  );

  test.skipIf(spawnSync("script", ["--version"]).status !== 0)(
    "at a terminal chat asks with a prompt, and Ctrl-C leaves it",
    async () => {
      const words = [
        process.execPath,
        command,
        "chat",
        model,
        "--tokenizer",
        tokenizer,
        "--max-tokens",
        "4",
        "--temperature",
        "0",
      ];
      const child = spawn("script", ["-qefc", words.map((word) => `'${word}'`).join(" "), "/dev/null"]);
      let screen = "";
      const shown = (text: string) =>
        new Promise<void>((resolve) => {
          const look = () => {
            if (screen.includes(text)) resolve();
            else child.stdout.once("data", look);
          };
          look();
        });
      child.stdout.on("data", (text) => (screen += text));
      const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
      await shown("\n> ");
      child.stdin.write("a\n");
      await shown("\n> a\r\nbcab\r\n> ");
      child.stdin.write("\u0003");
      expect(await ended).toBe(130);
      expect(screen).toContain("continues each line as a text");
    },
    30_000,
  );

  test("a closed pipe ends it without an error", async () => {
    const { child, seen, ended } = await running();
    child.stdout.destroy();
    expect(await ended).toBe(0);
    expect(seen.stderr).toBe("");
  });

  test.skipIf(!existsSync("/dev/full"))("a full disk is said in a line", () => {
    const full = openSync("/dev/full", "w");
    const args = [
      command,
      "generate",
      model,
      "--tokenizer",
      tokenizer,
      "--temperature",
      "0",
      "--max-tokens",
      "4000",
    ];
    const { status, stderr } = spawnSync(process.execPath, args, {
      encoding: "utf8",
      stdio: ["ignore", full, "pipe"],
    });
    closeSync(full);
    expect(stderr).toBe(
      "qkv: the output cannot be written (ENOSPC).\nFix: make room, or send it somewhere else.\n",
    );
    expect(status).toBe(1);
  });
});

describe("reference output of llama2.c", () => {
  const folder = "models/stories260K";
  type Story = { prompt: string; prompt_tokens: number[]; greedy_tokens: number[]; text: string };
  const cases = () => (referenceData.json(`${folder}/refs.json`) as { cases: Story[] }).cases;
  const path = (name: string) => referenceData.path(`${folder}/${name}`);
  const tell = ({ prompt, greedy_tokens }: Story, ...args: string[]) =>
    qkv(
      ...["generate", path("stories260K.bin"), "--tokenizer", path("tok512.bin")],
      ...["--prompt", prompt, "--temperature", "0", "--max-tokens", String(greedy_tokens.length), ...args],
    );

  test("matches token for token, as JSON and as text", () => {
    expect(cases().length).toBeGreaterThan(0);
    for (const story of cases()) {
      expect(JSON.parse(tell(story, "--json").stdout)).toMatchObject({
        prompt: story.prompt,
        promptTokens: story.prompt_tokens,
        tokens: story.greedy_tokens,
        text: story.text,
      });
    }
    const story = cases().find(({ prompt }) => prompt !== "")!;
    expect(tell(story).stdout).toBe(`${story.text}\n`);
  });
});

test("a training run that is killed repeatedly, at any moment, ends with the result of an uninterrupted run", async () => {
  const folder = mkdtempSync(join(tmpdir(), "qkv-killed-"));
  const path = (...names: string[]) => join(folder, ...names);
  try {
    const line = (i: number) => `the ${["cat", "rat", "bat"][(i * i) % 3]} sat. `;
    writeFileSync(path("text.txt"), Array.from({ length: 60 }, (_, i) => line(i)).join(""));
    const options =
      "--layers 1 --dim 16 --heads 2 --kv-heads 1 --context 16 --batch-size 8 --steps 120 --evaluate-every 20 --save-every 3 --device js";
    const train = (name: string) => [
      "train",
      path("text.txt"),
      ...options.split(" "),
      "--out",
      path(name),
      "--resume",
    ];
    expect(qkv(...train("whole")).status).toBe(0);

    const stepThere = () => {
      if (!existsSync(path("parts", "checkpoint.safetensors"))) return 0;
      const bytes = readFileSync(path("parts", "checkpoint.safetensors"));
      const header = JSON.parse(bytes.toString("utf8", 8, 8 + Number(bytes.readBigUInt64LE(0)))) as {
        __metadata__: { step: string };
      };
      return Number(header.__metadata__.step);
    };
    const steps: number[] = [];
    for (let delayMs = 5; delayMs <= 125; delayMs += 24) {
      const child = spawn(process.execPath, [command, ...train("parts")]);
      let lastCount = 0;
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        lastCount = Number(/.*step (\d+): loss/s.exec(text)?.[1] ?? lastCount);
      });
      child.stderr.once("data", () => setTimeout(() => child.kill("SIGKILL"), delayMs));
      await new Promise((ended) => child.on("close", ended));
      steps.push(stepThere());
      expect(lastCount - steps.at(-1)!, "steps lost").toBeLessThanOrEqual(3);
      expect(steps.at(-1), "steps of earlier runs").toBeGreaterThanOrEqual(steps.at(-2) ?? 0);
    }
    expect(steps.at(-1), "some of the run was left to do").toBeLessThan(120);
    expect(qkv(...train("parts")).status).toBe(0);
    expect(readdirSync(path("parts")).sort()).toEqual(readdirSync(path("whole")).sort());
    for (const name of readdirSync(path("whole")))
      expect(
        readFileSync(path("parts", name)).equals(readFileSync(path("whole", name))),
        `${name}: bytes differ from those of an export in one piece`,
      ).toBe(true);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

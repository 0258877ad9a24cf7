import { load } from "@qkv/transformer";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { run } from "../index.js";

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "qkv-train-"))));
afterEach(() => rmSync(folder, { recursive: true }));

const path = (...names: string[]) => join(folder, ...names);
const text = Array.from({ length: 60 }, (_, i) => `the ${["cat", "rat", "bat"][(i * i) % 3]} sat. `).join("");
const small =
  "--layers 1 --dim 16 --heads 2 --kv-heads 1 --context 16 --batch-size 2 --evaluate-every 4 --save-every 2 --device js";

async function train(argv: string, signal?: AbortSignal, onError: (text: string) => void = () => {}) {
  writeFileSync(path("text.txt"), text);
  let [out, err] = ["", ""];
  const code = await run(["train", path("text.txt"), ...small.split(" "), ...argv.split(" ")], {
    out: { write: (text) => (out += text) },
    err: {
      write: (text) => {
        err += text;
        onError(text);
      },
    },
    color: false,
    ...(signal && { signal }),
  });
  return { code, out, err };
}

test("a folder is left that loads and generates, with its recipe and its curve", async () => {
  const { code, out, err } = await train(`--out ${path("a")} --steps 12 --json`);
  expect(err).toContain("step 4: loss ");
  expect(code).toBe(0);
  const result = JSON.parse(out) as {
    steps: number;
    best: number;
    vocabSize: number;
    charactersPerToken: number;
  };
  expect(result).toMatchObject({ steps: 12, vocabSize: new Set(text).size + 1, charactersPerToken: 1 });
  expect(result.best).toBeLessThan(Math.log(result.vocabSize));
  const model = await load(path("a"));
  expect(model.tokenizer!.decode(model.tokenizer!.encode("the cat"))).toBe("the cat");
  expect(model.apply(model.params, model.tokenizer!.encode("the")).shape).toEqual([1, 3, result.vocabSize]);
  expect(JSON.parse(readFileSync(path("a", "training.json"), "utf8"))).toMatchObject({ steps: 12, seed: 1 });
  const curve = readFileSync(path("a", "curve.csv"), "utf8").trim().split("\n");
  expect(curve[0]).toBe("step,loss,heldBackLoss");
  expect(curve).toHaveLength(13);
  expect(Number(curve[12]!.split(",")[2])).toBeGreaterThanOrEqual(result.best);
});

test("a run that is stopped anywhere and resumed is the run that was not, bit for bit", async () => {
  await train(`--out ${path("whole")} --steps 10`);
  const controller = new AbortController();
  const stopped = await train(`--out ${path("parts")} --steps 10`, controller.signal, (text) => {
    if (text.includes("step 4:")) controller.abort(new Error("stop"));
  });
  expect(stopped.code).toBe(130);
  // At most one interval between checkpoints is lost.
  expect(readFileSync(path("parts", "curve.csv"), "utf8").trim().split("\n").length).toBeGreaterThanOrEqual(
    3,
  );
  const resumed = await train(`--out ${path("parts")} --steps 10 --resume`);
  expect(resumed.err).not.toContain("Fix:");
  expect(resumed.code).toBe(0);
  for (const name of ["curve.csv", "model.safetensors", "checkpoint.safetensors"]) {
    expect(readFileSync(path("parts", name)), name).toEqual(readFileSync(path("whole", name)));
  }
});

test("a folder with a run is not written over, and another recipe does not resume it", async () => {
  await train(`--out ${path("a")} --steps 2`);
  const again = await train(`--out ${path("a")} --steps 2`);
  expect([again.code, again.err]).toEqual([1, expect.stringContaining("Fix: add --resume to go on with it")]);
  const other = await train(`--out ${path("a")} --steps 3 --resume`);
  expect([other.code, other.err]).toEqual([1, expect.stringContaining('is "another steps: 3", expected 2')]);
});

test("a vocabulary is learned from the text, or read from a file", async () => {
  const { code, out } = await train(`--out ${path("a")} --steps 2 --vocab-size 260 --json`);
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ vocabSize: 260 });
  const file = await train(`--out ${path("b")} --steps 2 --tokenizer ${path("a", "tokenizer.json")} --json`);
  expect(JSON.parse(file.out)).toMatchObject({ vocabSize: 260 });
  const none = await train(`--out ${path("c")} --steps 2 --tokenizer ${path("none.json")}`);
  expect(none.err).toContain("Fix: `qkv train-tokenizer` makes one.");
  expect(existsSync(path("c"))).toBe(false);
});

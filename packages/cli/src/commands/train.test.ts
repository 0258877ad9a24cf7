import { capturedOutput } from "@qkv/test-support/captured-output";
import { load } from "@qkv/transformer";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { casesByTier } from "../../../../scripts/tier.mjs";
import { run } from "../run.js";

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "qkv-train-"))));
afterEach(() => rmSync(folder, { recursive: true }));

const path = (...names: string[]) => join(folder, ...names);
const text = Array.from({ length: 60 }, (_, i) => `the ${["cat", "rat", "bat"][(i * i) % 3]} sat. `).join("");
const small =
  "--layers 1 --dim 16 --heads 2 --kv-heads 1 --context 16 --batch-size 2 --evaluate-every 4 --save-every 2 --device js";

async function train(argv: string, signal?: AbortSignal, onError?: (text: string) => void) {
  writeFileSync(path("text.txt"), text);
  return bare(`${path("text.txt")} ${small} ${argv}`, signal, onError);
}

async function bare(argv: string, signal?: AbortSignal, onError?: (text: string) => void) {
  const { streams, written } = capturedOutput(onError);
  const code = await run(["train", ...argv.split(" ")], { ...streams, ...(signal && { signal }) });
  return { code, ...written };
}

test("a run saves a folder that loads and generates, with its settings and its curve", async () => {
  const { code, out, err } = await train(`--out ${path("a")} --steps 12 --json`);
  expect(err).toContain("step 4: loss ");
  expect(code).toBe(0);
  const result = JSON.parse(out) as {
    steps: number;
    best: number;
    vocabSize: number;
    charactersPerToken: number;
    tokensPerSecond: number;
    flopsPerSecond: number;
    peakFlopsPerSecond: number;
    utilization: number;
  };
  // Matrices of the layer and the output: 6 FLOPs a weight; attention reads half of 16 keys.
  const matrices = 16 * (16 + 8 + 8 + 16) + 3 * 16 * 64 + 16 * result.vocabSize;
  expect(result.tokensPerSecond).toBeGreaterThan(0);
  expect(result.flopsPerSecond / result.tokensPerSecond / (6 * matrices)).toBeGreaterThan(1);
  expect(result.flopsPerSecond / result.tokensPerSecond / (6 * matrices)).toBeLessThan(1.3);
  expect(result.peakFlopsPerSecond).toBeGreaterThan(0);
  expect(result.utilization).toBe(result.flopsPerSecond / result.peakFlopsPerSecond);
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

test("a run that is stopped at any step and resumed equals an uninterrupted run, bit for bit", async () => {
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

test("a folder with a run is not overwritten, and other hyperparameters do not resume it", async () => {
  await train(`--out ${path("a")} --steps 2`);
  const again = await train(`--out ${path("a")} --steps 2`);
  expect([again.code, again.err]).toEqual([1, expect.stringContaining("Fix: add --resume to go on with it")]);
  for (const [given, message] of [
    ["--steps 1", "`--steps` is 1, expected 2 or more, as the run in the folder has"],
    ["--steps 2 --dim 32", "`--dim` is 32, expected 16, as the run in the folder has"],
    ["--steps 2 --learning-rate 1", "`--learning-rate` is 1, expected 0.002, as the run"],
    ["--steps 2 --vocab-size 260", "`--tokenizer` is "],
  ]) {
    const other = await train(`--out ${path("a")} --resume ${given}`);
    expect([other.code, other.err]).toEqual([1, expect.stringContaining(message!)]);
  }
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

test("the saved settings reproduce the run bit for bit, and the command line takes precedence", async () => {
  await train(`--out ${path("a")} --steps 6 --seed 3 --vocab-size 260`);
  const config = (name: string) => `--config ${path("a", "training.json")} --out ${path(name)}`;
  const recipe = JSON.parse(readFileSync(path("a", "training.json"), "utf8")) as Record<string, unknown>;
  expect(recipe).toMatchObject({
    files: [path("text.txt")],
    layers: 1,
    vocabSize: 260,
    versions: { node: process.version },
  });

  const again = await bare(config("b"));
  expect(again).toMatchObject({ code: 0 });
  for (const name of [
    "curve.csv",
    "model.safetensors",
    "checkpoint.safetensors",
    "tokenizer.json",
    "training.json",
  ])
    expect(readFileSync(path("b", name)), name).toEqual(readFileSync(path("a", name)));

  await bare(`${config("c")} --steps 2`);
  expect(readFileSync(path("c", "curve.csv"), "utf8").trim().split("\n")).toHaveLength(3);

  writeFileSync(path("text.txt"), `${text}more`);
  const other = await bare(config("d"));
  expect([other.code, other.err]).toEqual([
    1,
    expect.stringMatching(/sums\.text.*SHA-256.*\nFix: give the files/),
  ]);
});

test("an invalid config file, and one with unknown options, are refused", async () => {
  const refused = async (content: string, message: RegExp) => {
    writeFileSync(path("config.json"), content);
    const { code, err } = await bare(`--config ${path("config.json")} --out ${path("a")}`);
    expect([code, err]).toEqual([1, expect.stringMatching(message)]);
  };
  await refused("[1]", /--config .*config\.json` is "\[1\]", expected a JSON object of options by name/);
  await refused("{", /is "no valid JSON"/);
  await refused('{ "layer": 2 }', /is "\\"layer\\" in it", expected names among .*layers/);
  for (const name of ["__proto__", "constructor", "toString"])
    await refused(`{ "${name}": { "layers": 2, "prototype": {} } }`, new RegExp(`is ".*${name}.* in it"`));
  expect("layers" in {}).toBe(false);
  await refused('{ "layers": 0 }', /`--layers` is 0, expected an integer, 1 or more/);
  await refused('{ "files": "text.txt" }', /files` is "text\.txt", expected a list of paths/);
});

test("losses are printed at growing intervals", async () => {
  const { err } = await train(`--out ${path("a")} --steps 11 --evaluate-every 100`);
  expect([...err.matchAll(/step (\d+): loss/g)].map(([, step]) => Number(step))).toEqual([1, 2, 5, 10, 11]);
});

test("unfinished files of a killed run are removed", async () => {
  const left = path("a", "checkpoint.safetensors.01234567-89ab-cdef-0123-456789abcdef.tmp");
  mkdirSync(path("a"));
  for (const file of [left, path("a", "own.tmp")]) writeFileSync(file, "");
  await train(`--out ${path("a")} --steps 2`);
  expect(readdirSync(path("a")).filter((name) => name.endsWith(".tmp"))).toEqual(["own.tmp"]);
});

test("--init starts with the weights and the vocabulary of another model", async () => {
  const first = JSON.parse((await train(`--out ${path("a")} --steps 12 --vocab-size 260 --json`)).out) as {
    best: number;
  };
  const more = await train(`--out ${path("b")} --steps 1 --learning-rate 0 --init ${path("a")} --json`);
  expect((JSON.parse(more.out) as { best: number }).best).toBeCloseTo(first.best, 6);
  const other = await train(`--out ${path("c")} --steps 1 --init ${path("a")} --dim 32`);
  expect(other.err).toMatch(
    /`--init` is "a model whose embedDim is 16", expected embedDim 32, as the options say/,
  );
});

test("--resume FOLDER needs nothing else, and can raise --steps", async () => {
  await train(`--out ${path("init")} --steps 2 --vocab-size 260`);
  const ways = [
    "",
    "--vocab-size 260",
    `--init ${path("init")}`,
    `--tokenizer ${path("init", "tokenizer.json")}`,
  ];
  for (const how of casesByTier(ways, (how) => how.startsWith("--tokenizer"))) {
    const folder = path(`run${how.length}`);
    await train(`--out ${folder} --steps 3 ${how}`.trimEnd());
    const more = await bare(`--resume ${folder} --steps 5`);
    expect([more.code, more.err]).toEqual([0, expect.stringContaining("step 5: loss")]);
    const notes = () => JSON.parse(readFileSync(join(folder, "training.json"), "utf8")) as { steps: number };
    expect(notes().steps).toBe(5);
    expect(readFileSync(join(folder, "curve.csv"), "utf8").trim().split("\n")).toHaveLength(6);
    // A complete run stays: there is nothing more to do.
    expect(await bare(`--resume ${folder}`)).toMatchObject({ code: 0 });
    expect(notes().steps).toBe(5);
  }
});

test("a stopped run is resumed from its folder alone, bit for bit", async () => {
  await train(`--out ${path("whole")} --steps 10`);
  const controller = new AbortController();
  await train(`--out ${path("parts")} --steps 10`, controller.signal, (text) => {
    if (text.includes("step 4:")) controller.abort(new Error("stop"));
  });
  expect(await bare(`--resume ${path("parts")}`)).toMatchObject({ code: 0 });
  for (const name of ["curve.csv", "model.safetensors", "checkpoint.safetensors"]) {
    expect(readFileSync(path("parts", name)), name).toEqual(readFileSync(path("whole", name)));
  }
});

test("errors of a run name the flags of the command", async () => {
  for (const [given, message] of [
    ["--heads 5", "`--heads` is 5, expected a divisor of --dim 16 that gives heads of an even size"],
    ["--heads 16", "`--heads` is 16, expected a divisor of --dim 16 that gives heads of an even size"],
    ["--heads 4 --kv-heads 3", "`--kv-heads` is 3, expected a divisor of --heads 4"],
    ["--context 9999", "`--context` is 9999, expected less than the "],
    ["--held-back 0.001", "`--held-back` is 0.001, expected a share of the text that has two tokens or more"],
    ["--learning-rate 1e30 --accumulate 1", "`--learning-rate` is "],
    [`--resume ${"none"}`, "nothing beside --resume none"],
  ]) {
    const { code, err } = await train(`--out ${path("a")} --steps 4 ${given}`);
    expect([code, err]).toEqual([1, expect.stringContaining(message!)]);
    rmSync(path("a"), { recursive: true, force: true });
  }
  expect((await bare(`--resume ${path("none")}`)).err).toMatch(
    /^qkv: `--resume` is ".*training\.json", expected the folder of a run, with its training\.json, .* does not exist/,
  );
  expect((await bare("--steps 4")).err).toMatch(/required option '--out <folder>' not specified/);
});

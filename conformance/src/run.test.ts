import { js } from "@qkv/tensor";
import { expect, test } from "vitest";
import type { Target } from "./case.js";
import { total } from "./report.js";
import { runConformance, type FamilyResult } from "./run.js";
import { matMulCase, scratchData, tensorJson } from "./scratch-data.js";

const target: Target = { device: js(), class: "host" };
const runFiles = (files: Record<string, unknown>, only?: string[]) =>
  runConformance(target, { dataDir: scratchData(files), ...(only ? { only } : {}) });

/** The only family of a run, and the reasons of its failures. */
async function reasonsOf(files: Record<string, unknown>, family?: string): Promise<[FamilyResult, string[]]> {
  const [result, ...others] = await runFiles(files, family === undefined ? [] : [family]);
  expect(others).toEqual([]);
  return [result!, result!.failures.map(({ case: name, reason }) => `${name}: ${reason}`)];
}

test("a correct case passes, and only the incorrect one fails", async () => {
  const [result] = await reasonsOf({
    "onnx/matmul.json": [matMulCase("right"), matMulCase("wrong", 11.001)],
  });
  expect(result).toMatchObject({ family: "matmul", passed: 1, failed: 1, skipped: 0 });
  const [failure] = result.failures;
  expect(failure!.case).toBe("wrong");
  expect(failure!.checks[0]!.output).toBe("product");
  expect(failure!.checks[0]!.error).toBeCloseTo(0.001 / 11.001, 6);
  expect(failure!.checks[0]!.tolerance).toBe(2e-5);
});

test("a case runs its operator, whatever the names of its file, itself and its arguments", async () => {
  const softmax = {
    ...matMulCase("matmul"),
    op: "Softmax",
    nodeInputs: ["b"],
    nodeOutputs: ["a"],
    inputs: [tensorJson("b", [2], [0, 0])],
    outputs: [tensorJson("a", [2], [0.5, 0.5])],
  };
  const [result] = await reasonsOf({ "onnx/anything.json": [softmax, matMulCase("softmax")] });
  expect(result).toMatchObject({ family: "anything", passed: 2, failed: 0 });
});

test("an omitted argument is null or has an empty name; trailing ones do not count", async () => {
  const left = { ...matMulCase("a"), nodeInputs: ["left", "right", "", null], nodeOutputs: ["product", ""] };
  const missing = { ...matMulCase("b"), nodeInputs: ["left", ""] };
  const [result, reasons] = await reasonsOf({ "onnx/matmul.json": [left, missing] });
  expect(result).toMatchObject({ passed: 1, failed: 1 });
  expect(reasons).toEqual(["b: input B of MatMul is not in the case"]);
});

test("an unknown operator, also of another domain, is skipped and its file is listed", async () => {
  const other = { ...matMulCase("a"), op: "Conv" };
  const foreign = { ...matMulCase("b"), domain: "com.example" };
  const [conv, matmul] = await runFiles({
    "onnx/conv.json": [other],
    "onnx/matmul.json": [foreign, matMulCase("c")],
  });
  expect(conv).toMatchObject({ passed: 0, failed: 0, skipped: 1 });
  expect(conv!.skips).toEqual([{ reason: "operator Conv is not known yet", count: 1 }]);
  expect(conv!.notYet.map(({ file }) => file)).toEqual(["onnx/conv.json"]);
  expect(matmul).toMatchObject({ passed: 1, failed: 0, skipped: 1, notYet: [] });
});

test("a case with a float16 tensor has the float16 tolerance, and float16 outputs", async () => {
  // [1, 2] · [3, 4] = 11, and 11.03 is within 4e-3 of it, the tolerance of float16.
  const half = (name: string, shape: number[], bits: number[]) => ({
    name,
    dtype: "float16",
    shape,
    data: Buffer.from(new Uint16Array(bits).buffer).toString("base64"),
  });
  const inputs = [half("left", [2], [0x3c00, 0x4000]), half("right", [2, 1], [0x4200, 0x4400])];
  const ofHalves = (name: string, bits: number) => ({
    ...matMulCase(name),
    inputs,
    outputs: [half("product", [1], [bits])],
  });
  const files = {
    "onnx/matmul.json": [ofHalves("near", 0x4984), ofHalves("far", 0x4990), ofHalves("same", 0x4980)],
  };
  const [result] = await reasonsOf(files);
  expect(result).toMatchObject({ passed: 2, failed: 1, skipped: 0 });
  expect(result.failures).toMatchObject([{ case: "far", checks: [{ output: "product", tolerance: 4e-3 }] }]);
});

test("a torch case fails in the output or gradient that differs, or if part of it would be unused", async () => {
  const silu = (name: string, change: object = {}) => ({
    name,
    op: "silu",
    attributes: {},
    inputs: [tensorJson("x", [1], [0])],
    outputs: [tensorJson("output", [1], [0])],
    gradOutputs: [tensorJson("output", [1], [2])],
    gradInputs: [tensorJson("x", [1], [1])], // twice the slope at 0, a half
    ...change,
  });
  const cases = [
    silu("right"),
    silu("output", { outputs: [tensorJson("output", [1], [0.1])] }),
    silu("gradient", { gradInputs: [tensorJson("x", [1], [1.001])] }),
    silu("attribute", { attributes: { inplace: true } }),
    silu("input", { inputs: [tensorJson("x", [1], [0]), tensorJson("y", [1], [0])] }),
    silu("other", { op: "selu" }),
  ];
  const [result, reasons] = await reasonsOf({ "torch/functions.json": cases });
  expect(result).toMatchObject({ passed: 1, failed: 4, skipped: 1 });
  expect(result.failures.map(({ checks }) => checks.map(({ output }) => output))).toEqual([
    ["output"],
    ["gradient of x"],
    [],
    [],
  ]);
  expect(reasons.slice(2)).toEqual([
    "attribute: silu has an attribute `inplace` that is not known",
    "input: silu has an input `y` that is not known",
  ]);
  expect(result.skips).toEqual([{ reason: "selu is not known yet", count: 1 }]);
});

test("an unknown attribute of an operator is a failure", async () => {
  const odd = { ...matMulCase("odd"), attributes: { transA: 1 } };
  const [, reasons] = await reasonsOf({ "onnx/matmul.json": [odd] });
  expect(reasons).toEqual(["odd: MatMul has an attribute `transA` that is not known"]);
});

test("a case without outputs fails, also in a family that cannot run yet", async () => {
  const { outputs: _, ...without } = matMulCase("without");
  const empty = { ...matMulCase("empty"), outputs: [] };
  const [, reasons] = await reasonsOf({ "onnx/matmul.json": [without, empty, matMulCase("whole")] });
  expect(reasons).toEqual(["without: has no outputs", "empty: has no outputs"]);
  const [, torch] = await reasonsOf({ "torch/sdpa.json": [{ name: "plain", outputs: [] }] });
  expect(torch).toEqual(["plain: has no outputs"]);
});

test("an output without a reference fails", async () => {
  const [, reasons] = await reasonsOf({
    "onnx/matmul.json": [{ ...matMulCase("half"), nodeOutputs: ["product", "rest"] }],
  });
  expect(reasons).toEqual(["half: the output `rest` has no reference"]);
});

test("an unreadable file, one without cases and one with another structure fail once each", async () => {
  const [, unreadable] = await reasonsOf({ "onnx/matmul.json": '[{"name": "cut' });
  expect(unreadable[0]).toMatch(/^onnx\/matmul\.json: cannot be read: /);
  for (const file of [
    "onnx/matmul.json",
    "torch/sdpa.json",
    "planner/models.json",
    "tokenizers/llama.cpp/a.json",
  ]) {
    expect((await reasonsOf({ [file]: [] }))[1]).toEqual([`${file}: holds no case`]);
  }
  for (const folder of ["planner", "tokenizers/bpe-training"]) {
    const [result, reasons] = await reasonsOf({ [`${folder}/LICENSE`]: "" }, folder.split("/").at(-1));
    expect(reasons).toEqual([`${folder}: holds no case`]);
    expect(result).toMatchObject({ passed: 0, failed: 1, skipped: 0 });
  }
  expect((await reasonsOf({ "onnx/matmul.json": "3" }))[1]).toEqual([
    "onnx/matmul.json: is neither an array nor an object",
  ]);
  expect((await reasonsOf({ "onnx/matmul.json": [3] }))[1]).toEqual(["matmul[0]: is not an object"]);
});

test("a model folder with a missing or unreadable refs.json fails; an unsupported kind is skipped", async () => {
  expect((await reasonsOf({ "models/a/refs.json": "{" }))[0]).toMatchObject({ family: "a", failed: 1 });
  expect((await reasonsOf({ "models/a/config.json": {} }))[0]).toMatchObject({ family: "a", failed: 1 });
  const [result] = await reasonsOf({
    "models/a/refs.json": { inputs: [], outputs: [] },
    "models/a/tok.bin": "",
  });
  expect(result).toMatchObject({ passed: 0, failed: 0, skipped: 1 });
  expect(result.notYet).toEqual([
    { file: "models/a/refs.json", reason: "no loader for this model yet", cases: 1 },
  ]);
});

test("a llama2.c folder fails in every case when its checkpoint, tokenizer or logits are missing", async () => {
  const one = {
    prompt: "a",
    prompt_tokens: [1],
    greedy_tokens: [2],
    text: "a",
    logits: { positions: 1, offset_floats: 0 },
  };
  const refs = { config: { vocab_size: 4 }, logits_file: "logits.f32", cases: [one, one] };
  const reasons = async (files: Record<string, string>) => {
    const named = Object.entries(files).map(([name, content]) => [`models/tiny/${name}`, content]);
    const [result, reasons] = await reasonsOf({
      "models/tiny/refs.json": refs,
      ...Object.fromEntries(named),
    });
    expect(result).toMatchObject({ family: "tiny", passed: 0, failed: 2, skipped: 0 });
    return reasons[0];
  };
  expect(await reasons({ "tok4.bin": "" })).toBe('"a": its checkpoint *.bin is missing');
  expect(await reasons({ "tiny.bin": "" })).toBe('"a": its tokenizer tok*.bin is missing');
  expect(await reasons({ "tok4.bin": "", "a.bin": "", "b.bin": "" })).toBe(
    '"a": it has 2 of checkpoint *.bin: a.bin, b.bin',
  );
  expect(await reasons({ "tok4.bin": "", "a.bin": "" })).toMatch(/logits\.f32/);
});

test("a tokenizer's cases fail if its vocabulary or the text is missing or the vocabulary is corrupt", async () => {
  const reasons = async (files: Record<string, unknown>, path = "vocab/t.bin") => {
    const refs = { vocabulary: { path }, cases: [{ id: "s", ids: [1] }] };
    const [result, reasons] = await reasonsOf({ "tokenizers/refs/t.json": refs, ...files });
    expect(result).toMatchObject({ family: "tokenizers", passed: 0, failed: 1, skipped: 0 });
    return reasons[0];
  };
  expect(await reasons({})).toBe("t s: its vocabulary vocab/t.bin is missing");
  for (const path of ["vocab/t.model", "vocab/t.bin", "vocab/t.gguf", "vocab/t.json", "vocab/t.tiktoken"]) {
    expect(await reasons({ [`tokenizers/${path}`]: "" }, path)).toMatch(/^t s: \w+: `.*expected.*\nFix: /s);
  }
  const words = { "tokenizers/vocab/t.txt": "[UNK]\nhello" };
  expect(await reasons(words, "vocab/t.txt")).toBe("t s: tokenizers/strings.json has no text with the id s");
});

test("a tokenizer's cases are skipped and counted if the format of its vocabulary is unsupported", async () => {
  const refs = {
    vocabulary: { path: "vocab/t.kenlm" },
    cases: [
      { id: "s", ids: [1] },
      { id: "t", ids: [] },
    ],
  };
  const [result] = await reasonsOf({ "tokenizers/refs/t.json": refs, "tokenizers/vocab/t.kenlm": "lm" });
  expect(result).toMatchObject({ family: "tokenizers", passed: 0, failed: 0, skipped: 2 });
  const reason = "the vocabulary vocab/t.kenlm is of a format that is not loaded";
  expect(result.skips).toEqual([{ reason, count: 2 }]);
});

test("every case is counted once", async () => {
  const results = await runFiles({
    "onnx/matmul.json": [matMulCase("a"), matMulCase("b", 12)],
    "onnx/conv.json": [{ ...matMulCase("c"), op: "Conv" }],
    "torch/sdpa.json": [{ name: "d", op: "unknown", outputs: [{}] }],
    "models/m/refs.json": { inputs: [], outputs: [] },
    "models/m/loss.json": {},
    "planner/models.json": [{}, {}],
    "tokenizers/bpe-training/corpus.en": "text",
    "tokenizers/llama.cpp/gpt-2.json": [{}, {}, {}],
    "tokenizers/strings.json": [{}],
    "corpora/a.txt": "",
  });
  const counts = results.map(({ family, passed, failed, skipped }) => [family, passed, failed, skipped]);
  expect(counts).toEqual([
    ["conv", 0, 0, 1],
    ["matmul", 1, 1, 0],
    ["sdpa", 0, 0, 1],
    ["m", 0, 0, 1],
    ["tokenizers", 0, 3, 0], // without a vocabulary
    ["bpe-training", 0, 1, 0], // without merges
    ["planner", 0, 0, 2],
  ]);
  expect(total(results)).toEqual({ passed: 1, failed: 5, skipped: 5 });
});

test("`only` runs the named families; an unknown one gives an error with the existing ones", async () => {
  const files = { "onnx/matmul.json": [matMulCase("a")], "onnx/gelu.json": [], "torch/sdpa.json": "{" };
  expect(await runFiles(files, ["matmul"])).toMatchObject([{ family: "matmul", passed: 1 }]);
  await expect(runFiles(files, ["matmul", "matmull"])).rejects.toThrow(
    '`--only` is "matmull", expected a family of the data.\nFix: choose among gelu, matmul, sdpa.',
  );
});

test("a folder without a family is refused", async () => {
  await expect(runFiles({ "notes.txt": "" })).rejects.toThrow(/^conformance: `--data` is /);
});

import { cast, js, tensor } from "@qkv/tensor";
import { expect, test, vi } from "vitest";
import { referenceData } from "../reference-data.mjs";
import type { Target } from "./case.js";
import { runConformance, type FamilyResult } from "./run.js";
import { filesBelow, scratchData } from "./scratch-data.js";

// Negative controls: one element of one case in a copy of the data is changed by three times the tolerance, and exactly
// that case must fail. Models generate complete texts several times here, which takes a while.
vi.setConfig({ testTimeout: 300_000 });

const target: Target = { device: js(), class: "host" };

type TensorJson = { name: string; dtype: string; shape: number[]; data: string };
type OnnxCase = { name: string; inputs: TensorJson[]; outputs: TensorJson[] };

async function runFamily(files: Record<string, unknown>, family: string): Promise<FamilyResult> {
  const [result] = await runConformance(target, { dataDir: scratchData(files), only: [family] });
  return result!;
}

/** Expects that with the changed files only one output of one case fails, and that all others pass as before. */
async function expectOnly(
  before: FamilyResult,
  files: Record<string, unknown>,
  failure: { case: string; output: string },
): Promise<void> {
  const after = await runFamily(files, before.family);
  expect(after.failures.map(({ case: name, checks }) => [name, checks.map(({ output }) => output)])).toEqual([
    [failure.case, [failure.output]],
  ]);
  expect([after.passed, after.failed, after.skipped]).toEqual([before.passed - 1, 1, before.skipped]);
}

/** The unchanged family, which must pass for the control to be meaningful. */
async function expectHealthy(files: Record<string, unknown>, family: string): Promise<FamilyResult> {
  const result = await runFamily(files, family);
  expect(result.failures).toEqual([]);
  expect(result.passed).toBeGreaterThan(0);
  return result;
}

const parse = <T>(files: Record<string, Uint8Array>, path: string): T =>
  JSON.parse(new TextDecoder().decode(files[path])) as T;

const arrays = { float32: Float32Array, float64: Float64Array, float16: Uint16Array };

/** Changes the finite element of largest magnitude by three times the tolerance, as the comparison measures it. */
function move(json: TensorJson, tolerance: number): TensorJson {
  const { shape } = json;
  const dtype = json.dtype as keyof typeof arrays;
  const stored = new arrays[dtype](Uint8Array.from(Buffer.from(json.data, "base64")).buffer);
  const values = Float64Array.from(cast(tensor(stored, { shape, dtype }), "float64").data);
  const size = (value: number) => (Number.isFinite(value) ? Math.abs(value) : -1);
  const at = values.reduce((best, value, i) => (size(value) > size(values[best]!) ? i : best), 0);
  // Towards zero, so that the largest value, which errors are divided by, does not grow; zero itself upwards.
  values[at]! -= (Math.sign(values[at]!) || -1) * 3 * tolerance * Math.max(1, Math.abs(values[at]!));
  const { data } = tensor(values, { shape, dtype });
  return { ...json, data: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("base64") };
}

/** The limit of a case, from the README of the data. */
function limitOf({ inputs }: OnnxCase, output: TensorJson): number {
  if ([output, ...inputs].some(({ dtype }) => dtype === "float16")) return 4e-3;
  return output.dtype === "float64" ? 1e-9 : 2e-5;
}

test.for([
  "attention",
  "causal-conv",
  "einsum",
  "gelu",
  "gemm",
  "layer-normalization",
  "linear-attention",
  "log-softmax",
  "matmul",
  "rms-normalization",
  "rotary-embedding",
  "softmax",
  "swiglu-swish",
  "tensor-scatter",
])("onnx %s: each output of each case", async (family) => {
  const path = `onnx/${family}.json`;
  const cases = parse<OnnxCase[]>(filesBelow(referenceData, "onnx"), path);
  const healthy = await expectHealthy({ [path]: cases }, family);
  for (const one of cases) {
    for (const output of one.outputs) {
      const outputs = one.outputs.map((each) => (each === output ? move(each, limitOf(one, each)) : each));
      const files = { [path]: cases.map((each) => (each === one ? { ...one, outputs } : each)) };
      await expectOnly(healthy, files, { case: one.name, output: output.name });
    }
  }
});

type TorchCase = OnnxCase & { gradInputs?: TensorJson[] };

test.for(["functions", "modules", "optimizers"])(
  "torch %s: each output and each gradient of each case",
  async (family) => {
    const path = `torch/${family}.json`;
    const cases = parse<TorchCase[]>(filesBelow(referenceData, "torch"), path);
    const healthy = await expectHealthy({ [path]: cases }, family);
    const controls = (["outputs", "gradInputs"] as const).flatMap((field) =>
      cases.flatMap((one) => (one[field] ?? []).map((victim) => ({ field, one, victim }))),
    );
    for (const { field, one, victim } of controls) {
      const moved = (one[field] ?? []).map((each) =>
        each === victim ? move(each, field === "outputs" ? 2e-5 : 5e-5) : each,
      );
      const files = { [path]: cases.map((each) => (each === one ? { ...one, [field]: moved } : each)) };
      const output = field === "outputs" ? victim.name : `gradient of ${victim.name}`;
      await expectOnly(healthy, files, { case: one.name, output });
    }
  },
);

test.for([
  ["linear", "mla", "decode", "outputs", "output"],
  ["linear", "forgetting-attention", "gqa", "gradInputs", "g"],
  ["linear", "path-attention", "gated", "gradInputs", "beta"],
  ["linear", "nsa", "full", "outputs", "o"],
  ["linear", "moba", "two_documents", "gradInputs", "k"],
  ["x-transformers", "x-attention", "selective", "outputs", "output"],
  ["x-transformers", "x-attention", "cope", "gradInputs", "param.attend.cope.pos_emb"],
  ["x-transformers", "x-layers", "residual_attention", "gradInputs", "x"],
] as const)("%s/%s: %s, %s %s", async ([family, file, name, field, victim]) => {
  const path = `${family}/${file}.json`;
  const cases = parse<TorchCase[]>(filesBelow(referenceData, family), path);
  const healthy = await expectHealthy({ [path]: cases }, family);
  const limit = field === "outputs" ? 2e-5 : 5e-5;
  const moved = cases.map((each) =>
    each.name === name
      ? { ...each, [field]: each[field]!.map((one) => (one.name === victim ? move(one, limit) : one)) }
      : each,
  );
  const output = field === "outputs" ? victim : `gradient of ${victim}`;
  await expectOnly(healthy, { [path]: moved }, { case: name, output });
});

test("linear: an index set in another order passes, with another index it fails", async () => {
  const path = "linear/dsa.json";
  const cases = parse<TorchCase[]>(filesBelow(referenceData, "linear"), path);
  const healthy = await expectHealthy({ [path]: cases }, "linear");
  /** The case's index sets with the last row changed. */
  const withLastRow = (name: string, change: (row: BigInt64Array) => BigInt64Array) => ({
    [path]: cases.map((one) => {
      if (one.name !== name) return one;
      const outputs = one.outputs.map((output) => {
        if (output.name !== "indices") return output;
        const indices = new BigInt64Array(Uint8Array.from(Buffer.from(output.data, "base64")).buffer);
        const size = output.shape.at(-1)!;
        indices.set(change(indices.slice(-size)), indices.length - size);
        return { ...output, data: Buffer.from(indices.buffer).toString("base64") };
      });
      return { ...one, outputs };
    }),
  });
  const reversed = withLastRow("plain", (row) => row.reverse());
  expect(await runFamily(reversed, "linear")).toMatchObject({ passed: healthy.passed, failed: 0 });
  // The last of ten queries selects four keys; the other six contain another index than its first.
  const other = withLastRow("plain", (row) =>
    row.with(
      0,
      [...Array(10).keys()].map(BigInt).find((i) => !row.includes(i))!,
    ),
  );
  await expectOnly(healthy, other, { case: "plain", output: "indices" });
});

test.for(["abc", "deltaformer", "gsa", "log-linear-attention", "mesa-net", "titans-linear", "ttt-linear"])(
  "linear %s: the first output, the last output and a gradient of a case",
  async (name) => {
    const path = `linear/${name}.json`;
    const cases = parse<TorchCase[]>(filesBelow(referenceData, "linear"), path);
    const healthy = await expectHealthy({ [path]: cases }, "linear");
    const one = cases.at(-1)!;
    const { outputs, gradInputs = [] } = one;
    const controls = (["outputs", "gradInputs"] as const).flatMap((field) => {
      const all = field === "outputs" ? outputs : gradInputs;
      return [...new Set([all[0]!, all.at(-1)!])].map((victim) => ({ field, victim }));
    });
    for (const { field, victim } of controls) {
      const moved = one[field]!.map((each) =>
        each === victim ? move(each, field === "outputs" ? 2e-5 : 5e-5) : each,
      );
      const files = { [path]: cases.map((each) => (each === one ? { ...one, [field]: moved } : each)) };
      const output = field === "outputs" ? victim.name : `gradient of ${victim.name}`;
      await expectOnly(healthy, files, { case: one.name, output });
    }
  },
);

test("blt: a length, a bucket and an element of a mask, each plus one, and a pooled value", async () => {
  const path = "blt/functions.json";
  const cases = parse<OnnxCase[]>(filesBelow(referenceData, "blt"), path);
  const healthy = await expectHealthy({ [path]: cases }, "blt");
  const plusOne = ({ data, ...rest }: TensorJson): TensorJson => {
    const bytes = Buffer.from(data, "base64");
    bytes[0]! = rest.dtype === "bool" ? 1 - bytes[0]! : bytes[0]! + 1;
    return { ...rest, data: bytes.toString("base64") };
  };
  for (const name of ["lengths_long", "hash_group8", "cross_mask_bytes_query_k2", "patch_reduce_max"]) {
    const victim = cases.find((one) => one.name === name)!;
    const [output] = victim.outputs;
    const moved = output!.dtype === "float32" ? move(output!, 2e-5) : plusOne(output!);
    const files = { [path]: cases.map((each) => (each === victim ? { ...victim, outputs: [moved] } : each)) };
    await expectOnly(healthy, files, { case: name, output: output!.name });
  }
});

test("tokenizers: one id, one offset, one letter of one text, in refs and in llama.cpp's vectors", async () => {
  type Refs = {
    vocabulary: object;
    cases: { id: string; ids: number[]; offsets: number[][]; decoded: string }[];
  };
  const everything = filesBelow(referenceData, "tokenizers");
  const path = "tokenizers/refs/bert-base-uncased.json";
  const vectors = "tokenizers/llama.cpp/bert-bge.json";
  const vocabulary = (name: string) => name.startsWith("tokenizers/vocab/") && /bert/.test(name);
  const files = Object.fromEntries(
    Object.entries(everything).filter(
      ([name]) => vocabulary(name) || [path, vectors, "tokenizers/strings.json"].includes(name),
    ),
  );
  const healthy = await expectHealthy(files, "tokenizers");
  const refs = parse<Refs>(files, path);
  const victim = refs.cases[40]!;
  const { id, ids, offsets, decoded } = victim;
  const changed = (change: Partial<Refs["cases"][number]>) => ({
    ...files,
    [path]: { ...refs, cases: refs.cases.with(40, { ...victim, ...change }) },
  });
  const name = `bert-base-uncased ${id}`;
  const [start, end] = offsets.at(-1) as [number, number];
  const moved = changed({ offsets: offsets.with(-1, [start, end + 1]) });
  await expectOnly(healthy, moved, { case: name, output: "offsets" });
  await expectOnly(healthy, changed({ decoded: `${decoded}#` }), { case: name, output: "decoded" });
  // An id is also an input of decoding.
  const { failures } = await runFamily(changed({ ids: ids.with(-1, ids.at(-1)! + 1) }), "tokenizers");
  expect(failures).toMatchObject([{ case: name }]);
  expect(failures[0]!.checks[0]!.output).toBe("ids");

  const list = parse<{ id: string; ids: number[] }[]>(files, vectors);
  const last = list[20]!;
  const wrong = { ...last, ids: last.ids.with(0, last.ids[0]! + 1) };
  const after = await runFamily({ ...files, [vectors]: list.with(20, wrong) }, "tokenizers");
  expect(after.failures.map(({ case: one }) => one)).toEqual([`llama.cpp bert-bge ${last.id}`]);
});

test("tokenizers: a vocabulary that is missing fails its cases, one of an unknown format is skipped", async () => {
  const file = (vocabulary: object) => ({ vocabulary, cases: [{ id: "x", ids: [] }] });
  const { failures, skipped } = await runFamily(
    {
      "tokenizers/strings.json": [{ id: "x", text: "x" }],
      "tokenizers/vocab/a.xyz": "?",
      "tokenizers/refs/a.json": file({ path: "vocab/a.xyz" }),
      "tokenizers/refs/b.json": file({ path: "vocab/b.model" }),
      "tokenizers/refs/c.json": file({ npm: "no-such-package", file: "vocab.json" }),
      "tokenizers/llama.cpp/d.json": [{ id: "x", text: "x", ids: [] }],
    },
    "tokenizers",
  );
  expect(failures.map(({ reason }) => reason)).toEqual([
    "its vocabulary vocab/b.model is missing",
    expect.stringContaining("no-such-package, which is not installed"),
    "has neither tokenizers/vocab/gguf/d.gguf nor tokenizers/refs/d.json",
  ]);
  expect(skipped).toBe(1);
});

test("bpe-training: two swapped merges, and two swapped ids of the vocabulary", async () => {
  const files = filesBelow(referenceData, "tokenizers/bpe-training");
  const [merges, vocab] = ["merges.txt", "vocab.json"].map((ending) =>
    Object.keys(files).find((path) => path.endsWith(ending))!,
  ) as [string, string];
  const healthy = await expectHealthy(files, "bpe-training");
  const lines = new TextDecoder().decode(files[merges]).split("\n");
  [lines[100], lines[101]] = [lines[101]!, lines[100]!];
  const reordered = { ...files, [merges]: lines.join("\n") };
  await expectOnly(healthy, reordered, { case: "corpus.en", output: "merges" });
  const ids = parse<Record<string, number>>(files, vocab);
  [ids["Ġt"], ids["Ġa"]] = [ids["Ġa"]!, ids["Ġt"]!];
  await expectOnly(healthy, { ...files, [vocab]: ids }, { case: "corpus.en", output: "vocabulary" });
});

type ModelCase = { prompt: string; prompt_tokens: number[]; greedy_tokens: number[]; text: string };

test("stories260K: one logit, one prompt token, one greedy token, one letter", async () => {
  const family = "stories260K";
  const files = filesBelow(referenceData, `models/${family}`);
  const path = `models/${family}/refs.json`;
  const refs = parse<{ cases: ModelCase[] }>(files, path);
  // Two cases of ten are enough to show that other cases are unaffected.
  const loss = `models/${family}/loss.json`; // has a control of its own
  const two = {
    ...Object.fromEntries(Object.entries(files).filter(([name]) => name !== loss)),
    [path]: { ...refs, cases: refs.cases.slice(0, 2) },
  };
  const healthy = await expectHealthy(two, family);
  const [other, victim] = refs.cases as [ModelCase, ModelCase];
  const name = JSON.stringify(victim.prompt);
  const changed = (change: Partial<ModelCase>) => ({
    ...two,
    [path]: { ...refs, cases: [other, { ...victim, ...change }] },
  });

  const logitsPath = `models/${family}/logits.f32`;
  const logits = new Float32Array(Uint8Array.from(files[logitsPath]!).buffer);
  logits[4608 + 512 * 12 + 7]! += 3e-4; // the last position of the second case
  const moved = { ...two, [logitsPath]: new Uint8Array(logits.buffer) };
  await expectOnly(healthy, moved, { case: name, output: "logits" });

  const greedy_tokens = victim.greedy_tokens.with(100, victim.greedy_tokens[100]! + 1);
  await expectOnly(healthy, changed({ greedy_tokens }), { case: name, output: "greedy_tokens" });
  const text = `${victim.text.slice(0, -1)}#`;
  await expectOnly(healthy, changed({ text }), { case: name, output: "text" });

  // A prompt token is also the model's input, so the continuation differs too.
  const prompt_tokens = victim.prompt_tokens.with(-1, victim.prompt_tokens.at(-1)! + 1);
  const { failures } = await runFamily(changed({ prompt_tokens }), family);
  expect(failures).toMatchObject([{ case: name }]);
  expect(failures[0]!.checks[0]!.output).toBe("prompt_tokens");
});

/** Changes a tensor's first element by three times the tolerance of embeddings. */
function moveFirst(json: TensorJson): TensorJson {
  const values = new Float32Array(Uint8Array.from(Buffer.from(json.data, "base64")).buffer);
  values[0]! += 3e-5 * values.reduce((most, x) => Math.max(most, Math.abs(x)), 1);
  return { ...json, data: Buffer.from(values.buffer).toString("base64") };
}

test.for([
  ["tiny-bert-random", ["outputs"]],
  ["use-lite", ["outputs", "first_sentence_only"]],
] as const)("%s: each of its outputs", async ([family, fields]) => {
  const files = filesBelow(referenceData, `models/${family}`);
  const path = `models/${family}/refs.json`;
  const refs = parse<Record<string, TensorJson[]>>(files, path);
  const healthy = await expectHealthy(files, family);
  for (const field of fields) {
    for (const victim of refs[field]!) {
      const moved = refs[field]!.map((each) => (each === victim ? moveFirst(each) : each));
      const changed = { ...files, [path]: { ...refs, [field]: moved } };
      await expectOnly(healthy, changed, { case: "refs[0]", output: victim.name });
    }
  }
});

test("loss.json: the loss of one story, of all stories, and a token count", async () => {
  const family = "stories260K";
  const path = `models/${family}/loss.json`;
  const all = { ...filesBelow(referenceData, `models/${family}`), ...filesBelow(referenceData, "corpora") };
  const refs = parse<{ cases: ModelCase[] }>(all, `models/${family}/refs.json`);
  // Stories are enough: one prompt represents the others.
  const files = { ...all, [`models/${family}/refs.json`]: { ...refs, cases: refs.cases.slice(0, 1) } };
  type Losses = { stories: { tokens: number; mean_loss: number }[]; mean_loss_per_token: number };
  const losses = parse<Losses>(all, path);
  const healthy = await expectHealthy(files, family);
  const [first, second, ...rest] = losses.stories as [Losses["stories"][0], Losses["stories"][0]];
  for (const [output, changed] of [
    [
      "mean_loss of story 1",
      { stories: [first, { ...second, mean_loss: second.mean_loss + 3e-4 }, ...rest] },
    ],
    ["mean_loss_per_token", { mean_loss_per_token: losses.mean_loss_per_token - 3e-4 }],
    ["tokens", { stories: [{ ...first, tokens: first.tokens + 1 }, second, ...rest] }],
  ] as const) {
    await expectOnly(healthy, { ...files, [path]: { ...losses, ...changed } }, { case: "loss[0]", output });
  }
});

test("all cases of the data are counted, and none fails", async () => {
  const results = await runConformance(target, { dataDir: referenceData.folder });
  const counted = results.reduce((sum, { passed, failed, skipped }) => sum + passed + failed + skipped, 0);
  expect(counted).toBe(countCases());
  expect(results.flatMap(({ failures }) => failures)).toEqual([]);
});

/**
 * The rule of `data-files.ts`, applied anew: array entries, else `cases`, else one; a training run is one. A model of
 * `hf/` and `hf-more/` has its cases and greedy texts once for each of its configurations; a case of `lora/` is one forward and one of training.
 */
function countCases(): number {
  const everything = filesBelow(referenceData, "");
  const counted = Object.keys(everything).filter((path) =>
    /^(audio|images|training|onnx|torch|torch-more|linear|x-transformers|blt|generation|planner)\/[^/]+\.json$|^tokenizers\/(refs|llama\.cpp)\/[^/]+\.json$|^models\/[^/]+\/(refs|loss)\.json$|^sentence-transformers\/[^/]+\/refs\.json$/.test(
      path,
    ),
  );
  const sizes = counted.map((path) => {
    const whole = parse<unknown[] | { cases?: unknown[] }>(everything, path);
    return Array.isArray(whole) ? whole.length : (whole.cases?.length ?? 1);
  });
  type Refs = { cases: unknown[]; greedy?: unknown[] };
  const models = Object.keys(everything).filter((path) => /^hf(-more)?\/[^/]+\/refs\.json$/.test(path));
  for (const path of models) {
    const { cases, greedy = [] } = parse<Refs>(everything, path);
    const configs = ["config.json", "config.v4.json"].filter(
      (name) => path.replace("refs.json", name) in everything,
    );
    sizes.push(configs.length * (cases.length + greedy.length));
  }
  for (const path of Object.keys(everything).filter((path) => /^lora\/[^/]+\/refs\.json$/.test(path)))
    sizes.push(2 * parse<Refs>(everything, path).cases.length);
  return (
    sizes.reduce((sum, size) => sum + size, 0) + ("tokenizers/bpe-training/corpus.en" in everything ? 1 : 0)
  );
}

test("generation: one token, one score, one end of a sequence, and one logit after a processor", async () => {
  type Entry = {
    name: string;
    folder: string;
    sequences: number[][];
    sequences_scores: number[];
    finished: boolean[];
  };
  const path = "generation/generation.json";
  const all = referenceData.json(path) as Entry[];
  const entries = all.filter(({ name }) => /^(gpt2|llama3-rope)-[25]$/.test(name));
  const files: Record<string, unknown> = {
    ...filesBelow(referenceData, "hf/gpt2"),
    ...filesBelow(referenceData, "hf/llama3-rope"),
    [path]: entries,
  };
  const healthy = await expectHealthy(files, "generation");
  const victim = entries[1]!;
  const changed = (change: Partial<Entry>) => ({
    ...files,
    [path]: entries.with(1, { ...victim, ...change }),
  });
  const { sequences, sequences_scores: scores, finished } = victim;
  const other = sequences.with(0, sequences[0]!.with(-2, sequences[0]!.at(-2)! ^ 1));
  await expectOnly(healthy, changed({ sequences: other }), { case: victim.name, output: "sequence 0" });
  const moved = scores.with(-1, scores.at(-1)! + 3e-4);
  await expectOnly(healthy, changed({ sequences_scores: moved }), {
    case: victim.name,
    output: "sequences_scores",
  });
  const ended = finished.with(0, !finished[0]);
  await expectOnly(healthy, changed({ finished: ended }), { case: victim.name, output: "finished" });

  const processors = "generation/logits-processors.json";
  const cases = referenceData.json(processors) as { name: string; outputs: TensorJson[] }[];
  const every = await expectHealthy({ [processors]: cases }, "generation");
  for (const [i, one] of cases.entries()) {
    const wrong = { ...one, outputs: [move(one.outputs[0]!, 2e-5)] };
    await expectOnly(every, { [processors]: cases.with(i, wrong) }, { case: one.name, output: "scores" });
  }
});

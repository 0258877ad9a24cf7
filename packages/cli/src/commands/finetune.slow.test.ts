import { modelTiny } from "@qkv/model-tiny";
import { tensorsOf } from "@qkv/tensor";
import { capturedOutput } from "@qkv/test-support/captured-output";
import { load } from "@qkv/transformer";
import { loadAdapter } from "@qkv/transformer/adapters";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parquetWriteBuffer } from "hyparquet-writer";
import { afterEach, beforeEach, expect, test } from "vitest";
import { run } from "../run.js";

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "qkv-finetune-"))));
afterEach(() => rmSync(folder, { recursive: true }));

const path = (...names: string[]) => join(folder, ...names);
const model = "@qkv/model-tiny";
const pairs = Array.from({ length: 12 }, (_, n) => ({
  prompt: ["The cat said", "The dog said", "The owl said"][n % 3]!,
  completion: [" miaow.", " woof.", " hoot."][n % 3]!,
}));
const small = "--context 32 --batch-size 2 --shuffle 6 --learning-rate 0.003 --device js";

const write = (name: string, records: readonly object[]) =>
  writeFileSync(path(name), records.map((record) => `${JSON.stringify(record)}\n`).join(""));

async function finetune(argv: string, signal?: AbortSignal, onError?: (text: string) => void) {
  if (!existsSync(path("pairs.jsonl"))) write("pairs.jsonl", pairs);
  const { streams, written } = capturedOutput(onError);
  const code = await run(["finetune", ...argv.split(" ")], { ...streams, ...(signal && { signal }) });
  return { code, ...written };
}

test("a model learns answers, and its folder loads and generates", async () => {
  write("held.jsonl", pairs.slice(0, 3));
  const { code, out, err } = await finetune(
    `${model} ${path("pairs.jsonl")} --out ${path("a")} ${small} --steps 12 --evaluate ${path("held.jsonl")} --evaluate-every 4 --json`,
  );
  expect([code, err]).toEqual([0, expect.stringMatching(/step 4: loss \d+\.\d+, held-back \d/)]);
  const result = JSON.parse(out) as { steps: number; loss: number; evaluation: number; parameters: number };
  expect(result).toMatchObject({ steps: 12, out: path("a") });
  const curve = readFileSync(path("a", "curve.csv"), "utf8").trim().split("\n").slice(1);
  expect(Number(curve[0]!.split(",")[1])).toBeGreaterThan(2);
  expect(result.evaluation).toBeLessThan(1);
  const tuned = await load(path("a"));
  expect(tuned.tokenizer!.encode("The cat")).toEqual((await load(path("a"))).tokenizer!.encode("The cat"));
  let text = "";
  const generated = await run(
    ["generate", path("a"), "--prompt", "The owl said", "--max-tokens", "3", "--device", "js"],
    {
      out: { write: (more) => (text += more) },
      err: { write: () => {} },
    },
  );
  expect([generated, text]).toEqual([0, expect.stringContaining("hoot")]);
});

test("a run that is stopped at any step and resumed equals an uninterrupted run, bit for bit", async () => {
  const run = (name: string) => `${model} ${path("pairs.jsonl")} --out ${path(name)} ${small} --save-every 2`;
  await finetune(`${run("whole")} --steps 7`);
  const controller = new AbortController();
  const stopped = await finetune(`${run("parts")} --steps 7`, controller.signal, (text) => {
    if (text.includes("step 5:")) controller.abort(new Error("stop"));
  });
  expect(stopped.code).toBe(130);
  expect(readdirSync(path("parts"))).not.toContain("model.safetensors");
  const refused = await finetune(`${run("parts")} --steps 7`);
  expect([refused.code, refused.err]).toEqual([
    1,
    expect.stringContaining("Fix: add --resume to go on with it"),
  ]);
  const other = await finetune(`${run("parts")} --steps 7 --resume --seed 3`);
  expect([other.code, other.err]).toEqual([
    1,
    expect.stringContaining("`--seed` is 3, expected 1, as the run in the folder has"),
  ]);
  const resumed = await finetune(`${run("parts")} --steps 7 --resume`);
  expect([resumed.code, resumed.err]).toEqual([0, expect.not.stringContaining("Fix:")]);
  for (const name of ["curve.csv", "model.safetensors", "checkpoint.safetensors"])
    expect(readFileSync(path("parts", name)).equals(readFileSync(path("whole", name))), name).toBe(true);
});

test("the FLOPs of a run depend on the trained weights, and MFU is relative to the device's peak", async () => {
  type Speed = Record<
    "parameters" | "tokensPerSecond" | "flopsPerSecond" | "peakFlopsPerSecond" | "utilization",
    number
  >;
  const speed = async (more: string) => {
    const out = path(`speed${more.length}`);
    const { out: text } = await finetune(
      `${model} ${path("pairs.jsonl")} --out ${out} ${small} --steps 1 --json${more}`,
    );
    return JSON.parse(text) as Speed;
  };
  const [whole, adapter] = [await speed(""), await speed(" --lora-rank 2")];
  const perToken = ({ flopsPerSecond, tokensPerSecond }: Speed) => flopsPerSecond / tokensPerSecond;
  for (const run of [whole, adapter])
    expect(run.utilization).toBe(run.flopsPerSecond / run.peakFlopsPerSecond);
  // The table is read as the output map, so every weight is multiplied: six FLOPs, and four and the adapter's six.
  const ratio = perToken(whole) / (6 * whole.parameters);
  expect(ratio).toBeGreaterThan(1);
  expect(ratio).toBeLessThan(1.2);
  const saved = perToken(whole) - perToken(adapter);
  expect(saved / (2 * whole.parameters - 6 * adapter.parameters)).toBeCloseTo(1, 1);
});

test("Parquet files and texts are read, and invalid records are refused with their number", async () => {
  const columns = (["prompt", "completion"] as const).map((name) => ({
    name,
    data: pairs.map((pair) => pair[name]),
    type: "STRING" as const,
  }));
  writeFileSync(path("pairs.parquet"), new Uint8Array(parquetWriteBuffer({ columnData: columns })));
  const parquet = await finetune(`${model} ${path("pairs.parquet")} --out ${path("a")} ${small} --steps 2`);
  const lines = await finetune(`${model} ${path("pairs.jsonl")} --out ${path("b")} ${small} --steps 2`);
  expect([parquet.code, lines.code]).toEqual([0, 0]);
  expect(readFileSync(path("a", "curve.csv"), "utf8")).toBe(readFileSync(path("b", "curve.csv"), "utf8"));
  write("texts.jsonl", [{ text: "The cat sat on the mat." }]);
  expect((await finetune(`${model} ${path("texts.jsonl")} --out ${path("c")} ${small} --steps 1`)).code).toBe(
    0,
  );
  write("odd.jsonl", [{ text: "one" }, { question: "?" }]);
  const odd = await finetune(`${model} ${path("odd.jsonl")} --out ${path("d")} ${small} --steps 1`);
  expect([odd.code, odd.err]).toEqual([1, expect.stringContaining("`data: record 2` is")]);
  write("chat.jsonl", [{ messages: [{ role: "user", content: "a" }] }]);
  const chat = await finetune(`${model} ${path("chat.jsonl")} --out ${path("e")} ${small} --steps 1`);
  expect([chat.code, chat.err]).toEqual([
    1,
    expect.stringContaining("messages, and the model has no chat template"),
  ]);
  const none = await finetune(`${model} ${path("none.jsonl")} --out ${path("f")} ${small} --steps 1`);
  expect([none.code, none.err]).toEqual([1, expect.stringMatching(/`data` is .*none.jsonl/)]);
});

test("an adapter is trained, saved in the format of PEFT, and loaded by generate", async () => {
  const { code, out, err } = await finetune(
    `${model} ${path("pairs.jsonl")} --out ${path("a")} --context 32 --batch-size 2 --shuffle 6 --device js --steps 16 ` +
      "--lora-rank 4 --learning-rate 0.02 --json",
  );
  expect([code, err]).toEqual([0, expect.stringContaining("step 10: loss")]);
  const files = readdirSync(path("a")).sort();
  expect(files).toEqual([
    "adapter_config.json",
    "adapter_model.safetensors",
    "checkpoint.safetensors",
    "curve.csv",
    "finetuning.json",
  ]);
  const config = JSON.parse(readFileSync(path("a", "adapter_config.json"), "utf8")) as object;
  expect(config).toMatchObject({
    ...{ peft_type: "LORA", r: 4, lora_alpha: 8, lora_dropout: 0, target_modules: "all-linear" },
    base_model_name_or_path: model,
  });
  const base = await load(await modelTiny());
  const tuned = await loadAdapter(base, path("a"));
  const { parameters } = JSON.parse(out) as { parameters: number };
  expect(parameters).toBe(tensorsOf(tuned.adapter).reduce((sum, x) => sum + x.data.length, 0));
  const text = async (...more: string[]) => {
    let written = "";
    const options = ["--prompt", "The owl said", "--max-tokens", "3", "--device", "js", ...more];
    const code = await run(["generate", model, ...options], {
      out: { write: (more) => (written += more) },
      err: { write: () => {} },
    });
    expect(code).toBe(0);
    return written;
  };
  expect(await text("--adapter", path("a"))).toContain("hoot");
  expect(await text()).not.toContain("hoot");
});

test("a run with a QLoRA adapter and dropout is resumed bit for bit", async () => {
  const run = (name: string) =>
    `${model} ${path("pairs.jsonl")} --out ${path(name)} ${small} --save-every 2 --steps 5 ` +
    "--lora-rank 2 --lora-alpha 3 --lora-dropout 0.2 --target-modules q_proj,v_proj --quantize int8";
  await finetune(run("whole"));
  const controller = new AbortController();
  const stopped = await finetune(run("parts"), controller.signal, (text) => {
    if (text.includes("step 2:")) controller.abort(new Error("stop"));
  });
  expect(stopped.code).toBe(130);
  const other = await finetune(`${run("parts").replace("alpha 3", "alpha 4")} --resume`);
  expect([other.code, other.err]).toEqual([
    1,
    expect.stringContaining("`--lora-alpha` is 4, expected 3, as the run in the folder has"),
  ]);
  const whole = await finetune(`${run("parts").replace(/ --lora.*/, "")} --resume`);
  expect([whole.code, whole.err]).toEqual([
    1,
    expect.stringContaining("`--lora-rank` is undefined, expected 2, as"),
  ]);
  const resumed = await finetune(`${run("parts")} --resume`);
  expect([resumed.code, resumed.err]).toEqual([0, expect.not.stringContaining("Fix:")]);
  for (const name of ["curve.csv", "adapter_model.safetensors", "checkpoint.safetensors"])
    expect(readFileSync(path("parts", name)).equals(readFileSync(path("whole", name))), name).toBe(true);
  const config = JSON.parse(readFileSync(path("parts", "adapter_config.json"), "utf8")) as object;
  expect(config).toMatchObject({ r: 2, lora_alpha: 3, target_modules: ["q_proj", "v_proj"] });
});

import { js } from "@qkv/tensor";
import { expect, test } from "vitest";
import { referenceData } from "../../reference-data.mjs";
import type { Target } from "../case.js";
import { runConformance, type FamilyResult } from "../run.js";
import { filesBelow, scratchData } from "../scratch-data.js";
import { evaluate } from "./evaluate.js";

const target: Target = { device: js(), class: "host" };
type Json = Record<string, unknown>;

async function runPlanner(files: Record<string, unknown>): Promise<FamilyResult> {
  const [result] = await runConformance(target, { dataDir: scratchData(files), only: ["planner"] });
  return result!;
}

const read = () =>
  Object.fromEntries(
    Object.entries(filesBelow(referenceData, "planner")).map(([path, bytes]) => [
      path,
      JSON.parse(new TextDecoder().decode(bytes)) as Json[],
    ]),
  );

/** Changes the first entry that matches, and returns the failed outputs by case. */
async function failuresWith(
  file: string,
  holds: (entry: Json) => boolean,
  change: (entry: Json) => Json,
): Promise<[string, string[]][]> {
  const files = read();
  const path = `planner/${file}`;
  const list = files[path]!;
  const at = list.findIndex(holds);
  const { failures } = await runPlanner({ ...files, [path]: list.with(at, change(list[at]!)) });
  return failures.map(({ case: name, checks }) => [name, checks.map(({ output }) => output)]);
}

test("every entry is a case, none fails, and skipped ones have a reason", async () => {
  const files = read();
  const result = await runPlanner(files);
  expect(result.failures).toEqual([]);
  const entries = Object.values(files).reduce((sum, list) => sum + list.length, 0);
  expect(result.passed + result.skipped).toBe(entries);
  expect(result.skips.map(({ reason }) => reason).sort()).toEqual(["context", "no published count"]);
});

test("a shape is read by its fields, never by its name", async () => {
  const files = read();
  const models = files["planner/models.json"]!.map((model, i) => ({ ...model, name: `model ${i}` }));
  const { passed, failures } = await runPlanner({ "planner/models.json": models });
  expect(failures).toEqual([]);
  expect(passed).toBe((await runPlanner({ "planner/models.json": files["planner/models.json"] })).passed);
});

test("control: each published parameter count, changed by 0.3 %", async () => {
  const models = read()["planner/models.json"]!;
  for (const { name, parameters } of models) {
    if (typeof parameters !== "number") continue;
    const found = await failuresWith(
      "models.json",
      (entry) => entry["name"] === name,
      (entry) => ({ ...entry, parameters: parameters * 1.003 }),
    );
    expect(found).toEqual([[name, ["parameters"]]]);
  }
});

test("control: a model whose unknown size is filled in is no longer refused", async () => {
  const isUnknown = (entry: Json) => entry["n_heads"] === null;
  const found = await failuresWith("models.json", isUnknown, (entry) => ({ ...entry, n_heads: 40 }));
  expect(found).toEqual([]); // other sizes are still unknown
  const given = { n_heads: 40, n_kv_heads: 40, head_dim: 128, d_ff: 20480, vocab_size: 50272 };
  const counted = { ...given, parameters: 12853473280 };
  expect(await failuresWith("models.json", isUnknown, (entry) => ({ ...entry, ...counted }))).toEqual([]);
  const wrong = await failuresWith("models.json", isUnknown, (entry) => ({ ...entry, ...counted, d_ff: 1 }));
  expect(wrong).toMatchObject([["OPT-13B", ["parameters"]]]);
});

test("control: published caches: one byte, 0.1K, one formula", async () => {
  const file = "published-kv-cache.json";
  const one = (key: string, change: (entry: Json) => Json) =>
    failuresWith(file, (entry) => entry[key] !== undefined, change);
  expect(await one("also", (entry) => ({ ...entry, kv_bytes_per_token: 819201 }))).toEqual([
    ["vllm-opt-13b", ["bytes per token"]],
  ]);
  expect(await one("also", (entry) => ({ ...entry, also: { sequence: 2048, bytes: 1 } }))).toEqual([
    ["vllm-opt-13b", ["bytes of a request"]],
  ]);
  expect(
    await one("kv_elements_per_token_rounded", (entry) => ({
      ...entry,
      kv_elements_per_token_rounded: "34.5K",
    })),
  ).toEqual([["deepseek-v2-table-9-large-mla", ["numbers per token"]]]);
  expect(
    await one("formulas", (entry) => ({ ...entry, formulas: { GQA: "2*n_g*d_h*l", MQA: "2*d_h*l+1" } })),
  ).toEqual([["deepseek-v2-table-1", ["formula of MQA"]]]);
});

test("control: published training FLOPs: each row by 10 %, and the order", async () => {
  const [entry] = read()["planner/published-flops.json"]! as { id: string; rows: Json[] }[];
  const changed = (change: (row: Json) => Json) =>
    failuresWith(
      "published-flops.json",
      () => true,
      (entry) => ({ ...entry, rows: (entry["rows"] as Json[]).map(change) }),
    );
  for (const row of entry!.rows) {
    if (row["approximate"] === true) continue;
    const found = await changed((each) =>
      each["model"] === row["model"] ? { ...each, value: Number(each["value"]) * 1.09 } : each,
    );
    expect(found).toEqual([[entry!.id, [row["model"]]]]);
  }
  const last = await changed((row) => (row["approximate"] === true ? { ...row, value: 1e6 } : row));
  expect(last).toEqual([[entry!.id, ["order"]]]);
});

test("control: ratios of stored scores and tiles, and how memory grows", async () => {
  const traffic = (change: object) =>
    failuresWith(
      "published-io.json",
      (entry) => entry["id"] === "flashattention-figure-2",
      (entry) => {
        const rows = entry["rows"] as Record<string, Json>;
        return { ...entry, rows: { ...rows, flash: { ...rows["flash"], ...change } } };
      },
    );
  expect(await traffic({ gflops: 66.6 * 1.129 * 1.35 })).toEqual([
    ["flashattention-figure-2", ["FLOPs of flash over standard"]],
  ]);
  expect(await traffic({ hbm_gb: 40.3 })).toEqual([
    ["flashattention-figure-2", ["bytes of standard over flash, over the published ratio"]],
  ]);
  const memory = (name: string, at: number, value: number) =>
    failuresWith(
      "published-io.json",
      (entry) => entry["id"] === "flashattention-table-21",
      (entry) => {
        const rows = entry["rows"] as Record<string, number[]>;
        return { ...entry, rows: { ...rows, [name]: rows[name]!.with(at, value) } };
      },
    );
  expect(await memory("pytorch", 5, 17024 / 2)).toEqual([
    ["flashattention-table-21", ["published growth of pytorch at 4096"]],
  ]);
  expect(await memory("flash", 9, 13376 * 2)).toEqual([
    ["flashattention-table-21", ["published growth of flash at 65536"]],
  ]);
});

test("published figures without a check are listed beside ours", async () => {
  const { context } = await runPlanner(read());
  const lines = context.flatMap(({ lines }) => lines).join("\n");
  expect(lines).toMatch(/Qwen2\.5-72B: ours \d+ GFLOPs, published 394/);
  expect(lines).toMatch(/flash: ours \d+ GFLOPs, published 75\.2; ours 4\.0 GB, published 4\.4/);
  expect(lines).toMatch(/pytorch, ours\/published by length, MiB: .*4096: \d+\/17024/);
});

test("files are optional, and an unknown file is listed", async () => {
  const files = read();
  const path = "planner/published-flops.json";
  const alone = await runPlanner({ [path]: files[path] });
  expect(alone.failures[0]?.reason).toContain("which models.json does not have");
  const other = await runPlanner({ "planner/new-table.json": [{}, {}] });
  expect(other).toMatchObject({
    skipped: 2,
    notYet: [{ reason: "nothing here knows this table yet", cases: 2 }],
  });
});

test("formulas are evaluated, and invalid ones are errors", () => {
  expect(evaluate("(a+2)*b-6/b", { a: 1, b: 3 })).toBe(7);
  for (const wrong of ["", "a*", "(a", "c", "a b", "a^2", "constructor"])
    expect(() => evaluate(wrong, { a: 1, b: 3 }), wrong).toThrow("cannot read");
});

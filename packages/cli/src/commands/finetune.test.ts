// One step of finetuning, and refused options. finetune.slow.test.ts trains until a model has learned, and resumes runs.
import { modelTiny } from "@qkv/model-tiny";
import { capturedOutput } from "@qkv/test-support/captured-output";
import { load } from "@qkv/transformer";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { run } from "../run.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "qkv-finetune-"));
  writeFileSync(path("pairs.jsonl"), '{"prompt": "The owl said", "completion": " hoot."}\n'.repeat(2));
});
afterEach(() => rmSync(folder, { recursive: true }));

const path = (name: string) => join(folder, name);

async function finetune(more: string) {
  const small = "--context 16 --batch-size 1 --device js --steps 1";
  const argv = `@qkv/model-tiny ${path("pairs.jsonl")} --out ${path("a")} ${small} ${more}`;
  const { streams, written } = capturedOutput();
  const code = await run(["finetune", ...argv.trim().split(" ")], streams);
  return { code, ...written };
}

test("a step changes the weights, and its folder loads", async () => {
  const { code, out } = await finetune("--learning-rate 0.003 --json");
  expect([code, JSON.parse(out)]).toMatchObject([0, { steps: 1, out: path("a") }]);
  const [base, tuned] = [await load(await modelTiny()), await load(path("a"))];
  expect(tuned.params.embedding.weight.shape).toEqual(base.params.embedding.weight.shape);
  expect(tuned.params.embedding.weight.data).not.toEqual(base.params.embedding.weight.data);
});

test("adapter options without an adapter, and unknown modules, are refused", async () => {
  const refusal = async (more: string) => {
    const { code, err } = await finetune(more);
    expect(code).toBe(1);
    return err;
  };
  expect(await refusal("--lora-alpha 4")).toContain(
    "`--lora-alpha` is 4, expected an adapter, which this option configures.\nFix: add --lora-rank 8",
  );
  expect(await refusal("--quantize int4")).toContain(
    '`--quantize` is "int4", expected floats, since rounded weights have no gradient',
  );
  expect(await refusal(`--lora-rank 2 --adapter ${path("none")}`)).toContain("`--adapter` is ");
  expect(await refusal("--lora-rank 0")).toContain("`--lora-rank` is 0, expected an integer, 1 or more");
  expect(await refusal("--lora-rank 2 --target-modules q_prog")).toMatch(
    /`--target-modules` is .*q_prog.*, expected names of modules of the model, such as .*q_proj/,
  );
});

import { readFileSync } from "node:fs";
import { kvCache, readConfig } from "@qkv/cost";
import { knownModels } from "@qkv/cost/models";
import { expect, test } from "vitest";
import { modelRows, rowTokens } from "./src/gallery/model-rows";

const page = readFileSync(new URL("lessons/models-of-today.mdx", import.meta.url), "utf8");
const rows = modelRows();
const row = (id: string) => rows.find((each) => each.id === id)!;

test("has a row for each known model, with the bytes of its cache", () => {
  expect(rows.map(({ id }) => id).sort()).toEqual(knownModels.map(({ id }) => id).sort());
  for (const { id, config } of knownModels) {
    const shape = readConfig(config);
    expect(row(id).bytesPerToken).toBe(kvCache(shape).bytesPerToken);
    expect(row(id).bytesAt32K).toBe(kvCache(shape, { contextLength: rowTokens }).bytes);
    const stacks = [shape.encoder, shape.decoder, shape.images?.encoder];
    expect(row(id).layers).toBe(stacks.reduce((sum, stack) => sum + (stack?.layers.length ?? 0), 0));
  }
  expect(row("gemma-3-27b")).toMatchObject({ kinds: "52 sliding (1,024), 10 full", sharing: "GQA" });
  expect(row("deepseek-v3")).toMatchObject({ kinds: "61 full", kvHeads: 1, sharing: "MLA" });
  expect(row("qwen3-next-80b-a3b").kinds).toBe("36 linear, 12 full");
});

test("numbers in the text equal those of the models", () => {
  expect(page).toContain(`of ${knownModels.length} published models`);
  expect(row("llama-2-7b").bytesAt32K / 2 ** 30).toBe(16);
  expect((row("gemma-3-27b").bytesAt32K / 2 ** 30).toFixed(2)).toBe("2.91");
  expect(row("gemma-3-27b").parameters / row("llama-2-7b").parameters).toBeCloseTo(4, 0);
  const share = (id: string) => row(id).fullShare;
  for (const id of ["command-r7b", "olmo-3-7b", "llama-4-scout", "qwen3-next-80b-a3b"])
    expect(share(id)).toBe(1 / 4);
  for (const id of ["gpt-oss-20b", "gpt-oss-120b", "gemma-2-2b", "gemma-2-9b"]) expect(share(id)).toBe(1 / 2);
  expect(share("gemma-3-27b")).toBeCloseTo(1 / 6, 1);
  for (const id of ["deepseek-v2-lite", "deepseek-v3", "kimi-k2"]) expect(row(id).sharing).toBe("MLA");
});

import { connect, type Message } from "@qkv/page";
import { readdirSync, readFileSync } from "node:fs";
import { transform } from "sucrase";
import { afterEach, describe, expect, test } from "vitest";

// For each exercise one change that solves it.
const solutions: Record<string, [from: string, to: string]> = {
  "exercise-alignment": ['["day", "month", "year"];', '["year", "month", "day"];'],
  "exercise-animal": ["cat: [6, 0]", "cat: [9, 0]"],
  "exercise-bits": ["formats.float16", "quantized({ bits: 8 })"],
  "exercise-counts": [
    '"the cat sat . the cat ran ."',
    '"the cat sat . the dog ran . the mat lay . the cat ."',
  ],
  "exercise-depth": ["matmul(x, weight);", "add(x, matmul(normed(x), weight));"],
  "exercise-groups": ["numKvHeads = 32", "numKvHeads = 8"],
  "exercise-heads": ["numHeads = 3", "numHeads = 6"],
  "exercise-mask": ["or(causal(), slidingWindow(3))", "or(slidingWindow(3), and(causal(), keepFirst(1)))"],
  "exercise-one-token": ["text.slice(0, n)", "text.slice(n - 1, n)"],
  "exercise-same-head": ['["query", "key", "value", "output"];', '["query", "key", "value"];'],
  "exercise-values": ["[0, 0, 0, 0, 0, 0]", "[0, 1, 0, 0, 0, 0]"],
  "exercise-vocabulary": ['"a cat and a dog and a cat and a dog"', '"a banana an apple a banana an apple"'],
};

const modules: Record<string, () => Promise<unknown>> = {
  "@qkv/attention": () => import("@qkv/attention"),
  "@qkv/cost": () => import("@qkv/cost"),
  "@qkv/kv-cache": () => import("@qkv/kv-cache"),
  "@qkv/page": () => import("@qkv/page"),
  "@qkv/tensor": () => import("@qkv/tensor"),
  "@qkv/tokenizer": () => import("@qkv/tokenizer"),
  "@qkv/tokenizer/training": () => import("@qkv/tokenizer/training"),
  "@qkv/transformer": () => import("@qkv/transformer"),
  "@qkv/viz": () => import("@qkv/viz"),
};

const folder = new URL("./examples/", import.meta.url);
const codeOf = (name: string) => readFileSync(new URL(`${name}.ts`, folder), "utf8");
const names = readdirSync(folder)
  .filter((file) => file.startsWith("exercise-"))
  .map((file) => file.replace(/\.ts$/, ""));

/** Runs an exercise and says which of its checks hold. */
async function checksOf(code: string): Promise<boolean[]> {
  const checks: boolean[] = [];
  connect({
    post: (message: Message) => message.type === "check" && checks.push(message.holds),
    values: {},
  });
  const all: Record<string, unknown> = {};
  for (const [, name] of code.matchAll(/ from "([^"]+)"/g)) Object.assign(all, await modules[name!]!());
  const body = code.replace(/^import [^;]*;/gm, "");
  const plain = transform(`async function run() {${body}}`, {
    transforms: ["typescript"],
    disableESTransforms: true,
  }).code;
  await new Function("all", `with (all) { return (${plain})(); }`)(all);
  return checks;
}

afterEach(() => connect(undefined));

test("each exercise has a solution", () => expect(Object.keys(solutions).sort()).toEqual(names.sort()));

describe.each(names)("%s", (name) => {
  test("is not solved as it stands", async () => {
    expect(await checksOf(codeOf(name))).toContain(false);
  });

  test("is solved by one change", async () => {
    const [from, to] = solutions[name]!;
    expect(codeOf(name).split(from)).toHaveLength(2);
    const checks = await checksOf(codeOf(name).replace(from, to));
    expect(checks.length).toBeGreaterThan(0);
    expect(checks).not.toContain(false);
  });
});

/// <reference types="node" />
import { readdirSync, readFileSync } from "node:fs";
import { ArgumentError } from "@qkv/core";
import { cost, kvCache, parameters, readConfig, type AttentionShape } from "@qkv/cost";
import { knownModels } from "@qkv/cost/models";
import { load } from "@qkv/transformer";
import { modelStack, type StackedModel, type StackKind } from "@qkv/viz/figures/model-stack";
import { expect, test } from "vitest";
import { modelStackModel } from "./model-stack-model.js";
import { runnable } from "./tiny-decoder.js";

const folder = new URL("../../../conformance/data/hf/", import.meta.url);
const files = readdirSync(folder).map((name) => ({
  name,
  text: readFileSync(new URL(`${name}/config.json`, folder), "utf8"),
}));

/** Compares a drawn model with the results of `readConfig` and of `@qkv/cost` for its configuration. */
async function check(config: unknown, drawn: StackedModel, lengths: readonly number[]) {
  const shape = readConfig(config);
  for (const name of ["encoder", "decoder"] as const) {
    const stack = shape[name];
    const both = shape.encoder !== undefined && shape.decoder !== undefined;
    const side = drawn.sides.find((each) => (both ? each.name.toLowerCase() === name : stack !== undefined));
    if (!stack) continue;
    // Layers that are a feed-forward network alone attend to nothing and are not drawn.
    const attending = stack.layers.flatMap(({ attention }) => (attention.kind === "none" ? [] : [attention]));
    expect(side!.layers).toHaveLength(attending.length);
    expect(
      side!.runs.flatMap(({ pattern, times }) => Array.from({ length: times }, () => pattern).flat()),
    ).toEqual(side!.layers);
    attending.forEach((attention, i) => checkKind(drawn.kinds[side!.layers[i]!]!, attention));
    const crossed = stack.layers.filter(({ cross }) => cross).length;
    if (name === "decoder")
      expect(drawn.kinds.filter(({ cross }) => cross).reduce((sum, { layers }) => sum + layers, 0)).toBe(
        crossed,
      );
  }
  const own = drawn.kinds.filter(({ cross }) => !cross);
  expect(drawn.bytesPerToken).toBe(kvCache(shape).bytesPerToken);
  expect(own.reduce((sum, { layers, bytesPerToken }) => sum + layers * bytesPerToken, 0)).toBe(
    drawn.bytesPerToken,
  );
  expect(drawn.parameters).toBe(parameters(shape).total);
  lengths.forEach((contextLength, i) => {
    const { bytes } = kvCache(shape, { contextLength });
    expect(drawn.cacheBytes[i]).toBe(bytes);
    // The picture multiplies the parts that it prints.
    const printed = own.reduce((sum, { layers, bytesPerToken, stateBytes, limit }) => {
      const tokens = limit === null ? contextLength : Math.min(limit, contextLength);
      return sum + layers * (bytesPerToken * tokens + stateBytes);
    }, 0);
    expect(printed).toBe(bytes);
    if (!shape.encoder) expect(drawn.flops[i]).toBe(cost(shape, { contextLength }).flops);
  });
}

function checkKind(kind: StackKind, attention: AttentionShape) {
  const { heads, limit } = kind;
  if (attention.kind === "state") {
    expect([heads.kind, limit, kind.mask]).toEqual(["state", 0, null]);
    expect([heads.numHeads, heads.numKvHeads]).toEqual([attention.numKeyHeads, attention.numValueHeads]);
    return;
  }
  expect(heads.numHeads).toBe(attention.numHeads);
  if (attention.kind === "latent")
    expect(heads.keyDim + heads.valueDim).toBe(attention.kvRank + attention.ropeDim);
  else expect([heads.numKvHeads, heads.keyDim]).toEqual([attention.numKvHeads, attention.headDim]);
  const { reach } = attention;
  const expected = "size" in reach ? (reach.kind === "around" ? 2 * reach.size + 1 : reach.size) : null;
  expect(limit).toBe(expected);
  const above = kind.mask!.flatMap((row, i) => row.slice(i + 1));
  expect(above.some(Boolean)).toBe(reach.kind === "all" || reach.kind === "around");
}

const refused = new Set<string>();

test.each(files)(
  "$name of the configurations of Hugging Face is drawn, or its field is named",
  async ({ name, text }) => {
    let fails: unknown;
    try {
      readConfig(text);
    } catch (error) {
      fails = error;
    }
    if (fails === undefined) {
      const { models, lengths } = await modelStackModel({ model: "own" }, { config: text });
      return check(text, models[0], lengths);
    }
    refused.add(name);
    const drawn = modelStackModel({ model: "own" }, { config: text });
    await expect(drawn).rejects.toBeInstanceOf(ArgumentError);
    const { argument, received } = fails as ArgumentError;
    expect(argument).toBe("model_type");
    expect(text).toContain(`"model_type": ${JSON.stringify(received)}`);
  },
);

test("more configurations are drawn than refused", () => {
  expect(files.length - refused.size).toBeGreaterThan(50);
});

test.each(knownModels)("$name is drawn as its configuration says", async ({ id, name, year, config }) => {
  const { models, lengths } = await modelStackModel({ model: id });
  expect(models[0]).toMatchObject({ id, name, year });
  await check(config, models[0], lengths);
});

test("repeated patterns of layers are found", async () => {
  const runs = async (model: string) =>
    (await modelStackModel({ model })).models[0].sides.map(({ runs }) => runs);
  expect(await runs("gemma-3-27b")).toEqual([
    [
      { pattern: [0, 0, 0, 0, 0, 1], times: 10 },
      { pattern: [0], times: 2 },
    ],
  ]);
  expect(await runs("gpt-oss-20b")).toEqual([[{ pattern: [0, 1], times: 12 }]]);
  expect(await runs("qwen3-next-80b-a3b")).toEqual([[{ pattern: [0, 0, 0, 1], times: 12 }]]);
  expect(await runs("t5-base")).toEqual([[{ pattern: [0], times: 12 }], [{ pattern: [1], times: 12 }]]);
});

test("the maps are rows of weights under the mask of their kind, with a sum of 1", async () => {
  for (const model of [
    "gemma-3-27b",
    "llama-2-7b",
    "gpt2",
    "falcon-7b",
    "mixtral-8x7b",
    "starcoder",
    "phi-4",
  ]) {
    const [{ kinds, tiny, architecture }] = (await modelStackModel({ model })).models;
    const runs = runnable.includes(architecture);
    expect(tiny).toMatch(runs ? /^The tiny .* has \d layers of width 32/ : /^No tiny /);
    for (const { maps, mask } of kinds) {
      expect(maps).toHaveLength(runs ? 2 : 0);
      for (const map of maps) {
        map.forEach((row, i) => {
          expect(row.map((weight) => weight !== null)).toEqual(mask![i]);
          expect(row.reduce<number>((sum, weight) => sum + (weight ?? 0), 0)).toBeCloseTo(1, 5);
        });
      }
    }
  }
});

test("the architectures that run are among those that @qkv/transformer loads", async () => {
  const file = (name: string, ...parts: BlobPart[]) => new File(parts, name);
  const refusal = (model_type: string) =>
    load([
      file("config.json", JSON.stringify({ model_type })),
      file("model.safetensors", new BigUint64Array([2n]), "{}"),
    ]).then(
      () => "",
      (error: unknown) => String(error),
    );
  expect(runnable.length).toBeGreaterThan(10);
  expect(await refusal("none")).toMatch(/`config\.json: model_type` is "none"/);
  for (const name of runnable) expect(await refusal(name)).not.toMatch(/model_type` is/);
});

test("two models are drawn side by side, and unknown choices are refused", async () => {
  const compared = await modelStackModel({ model: "gpt2", compare: "kimi-k2" });
  expect(compared.models.map(({ name }) => name)).toEqual(["GPT-2", "Kimi K2"]);
  await expect(modelStackModel({ model: "own" })).rejects.toThrow(/modelStackModel: `model` is "own"/);
  const odd =
    '{"model_type":"llama","hidden_size":64,"num_attention_heads":4,"num_hidden_layers":2,"vocab_size":9}';
  await expect(modelStackModel({ model: "own" }, { config: odd })).rejects.toThrow(
    /readConfig: `intermediate_size` is undefined/,
  );
  const text = files.find(({ name }) => name === "gpt2")!.text;
  const { offers, models } = await modelStackModel({ model: "own", compare: "gpt2" }, { config: text });
  expect(offers[0]!.value).toBe("own");
  expect(models).toHaveLength(2);
  const named = { ...(JSON.parse(text) as object), _name_or_path: `somebody/${"name ".repeat(100)}` };
  const long = await modelStackModel({ model: "own" }, { config: named });
  expect(long.models[0].name).toBe("name ".repeat(8));
});

test("every step of every known model has a picture", async () => {
  for (const { id } of knownModels.filter((_, i) => i % 7 === 0)) {
    const model = await modelStackModel({ model: id });
    modelStack.steps(model, modelStack.initial).forEach((step, i) => {
      const { marks, description } = modelStack.scene(
        model,
        modelStack.initial,
        { step: i, progress: 1 },
        390,
      );
      expect(marks.length).toBeGreaterThan(30);
      expect(description).toContain(model.models[0].name);
      expect(step.text).toContain(model.models[0].name);
    });
  }
});

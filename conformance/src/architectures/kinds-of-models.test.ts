// Each function that takes a model, with a model of each kind: a kind that it does not take is refused by its name, since
// rows of an encoder read as logits are numbers, too.
import { ArgumentError } from "@qkv/core";
import { tensor } from "@qkv/tensor";
import * as lens from "@qkv/lens";
import {
  beamSearch,
  bytePatchLengths,
  embed,
  evaluate,
  generate,
  generateBatch,
  loadAny,
  pipeline,
  quantize,
  transcribe,
  type AnyModel,
  type ModelKind,
} from "@qkv/transformer";
import { modelKind } from "@qkv/transformer/inspection";
import { byteModel } from "@qkv/transformer/patching";
import { distillationLoss, preferenceLoss, tokenLoss } from "@qkv/transformer/training";
import { beforeAll, describe, expect, test } from "vitest";
import { ownData } from "../../reference-data.mjs";

const folders: Readonly<Record<ModelKind, string>> = {
  decoder: "gpt2",
  encoder: "bert-mlm",
  "encoder-decoder": "bart",
  vision: "vit",
  "dual-encoder": "clip",
  speech: "whisper",
};
const kinds = Object.keys(folders) as ModelKind[];
const models = {} as Record<ModelKind, AnyModel>;
beforeAll(async () => {
  for (const kind of kinds) models[kind] = await loadAny(ownData.path(`hf/${folders[kind]}`));
});

const first = async (tokens: AsyncIterable<unknown>) => {
  for await (const token of tokens) return token;
  return undefined;
};
const options = { maxTokens: 1 };
const ids = [3, 1, 4];
const input = { layer: 0, head: 0, query: 1, key: 0 };

/** A call of each function, and the kinds that it takes. */
const functions: Readonly<
  Record<string, readonly [taken: readonly ModelKind[], call: (model: never) => unknown]>
> = {
  generate: [["decoder", "encoder-decoder", "speech"], (model) => first(generate(model, ids, options))],
  generateBatch: [
    ["decoder", "encoder-decoder", "speech"],
    (model) => first(generateBatch(model, [ids], options)),
  ],
  beamSearch: [
    ["decoder", "encoder-decoder", "speech"],
    (model) => beamSearch(model, [ids], { ...options, numBeams: 2 }),
  ],
  evaluate: [["decoder"], (model) => evaluate(model, [ids])],
  embed: [["encoder", "decoder"], (model) => embed(model, [], { pooling: "mean" })],
  quantize: [["decoder", "encoder", "encoder-decoder"], (model) => quantize(model)],
  bytePatchLengths: [["decoder"], (model) => bytePatchLengths(model, ids)],
  byteModel: [["decoder"], (model) => byteModel(model)],
  transcribe: [["speech"], (model) => transcribe(model, new Float32Array(160))],
  tokenLoss: [["decoder", "encoder-decoder"], (model) => tokenLoss(model)],
  distillationLoss: [
    ["decoder", "encoder-decoder"],
    (model) => distillationLoss(model, { teacher: () => tensor([0]) } as never),
  ],
  preferenceLoss: [
    ["decoder", "encoder-decoder"],
    (model) => preferenceLoss(model, { reference: {} } as never),
  ],
  ...Object.fromEntries(
    (
      [
        ["runWithTrace", (model) => lens.runWithTrace(model, ids)],
        ["logitLensTokens", (model) => lens.logitLensTokens(model, ids)],
        ["decomposeResidual", (model) => lens.decomposeResidual(model, ids)],
        ["logitParts", (model) => lens.logitParts(model, ids)],
        ["scoreParts", (model) => lens.scoreParts(model, ids, input)],
        ["scoreGraph", (model) => lens.scoreGraph(model, ids, input)],
        ["cacheMaps", (model) => lens.cacheMaps(model, ids)],
        ["impliedMaps", (model) => lens.impliedMaps(model, ids)],
        ["headScores", (model) => lens.headScores(model, ids, (weights) => weights)],
        ["expertRouting", (model) => lens.expertRouting(model, ids)],
        ["gradientTimesInput", (model) => lens.gradientTimesInput(model, ids, { target: 1 } as never)],
        ["integratedGradients", (model) => lens.integratedGradients(model, ids, { target: 1 } as never)],
        ["inFloat64", (model) => lens.inFloat64(model)],
        ["ovCircuit", (model) => lens.ovCircuit(model, { layer: 0, head: 0 } as never)],
      ] as [string, (model: never) => unknown][]
    ).map(([name, call]) => [name, [["decoder"], call]]),
  ),
};

const caught = async (call: () => unknown): Promise<unknown> => {
  try {
    await call();
    return undefined;
  } catch (error) {
    return error;
  }
};

test.each(kinds)("the kind of %s is found without its name", (kind) => {
  const { kind: named, ...model } = models[kind];
  expect([named, modelKind(model)]).toEqual([kind, kind]);
});

describe.each(Object.entries(functions))("%s", (name, [taken, call]) => {
  test.each(kinds)("with a model of kind %s", async (kind) => {
    const error = await caught(() => call(models[kind] as never));
    // A supported kind may be refused for another reason: no tokenizer, or no experts.
    const ofKind =
      /^(\w+): `model` is .*, expected (a|an) (decoder|encoder|encoder–decoder|speech model|model, with apply)\b/;
    const [, by] = (error instanceof ArgumentError && ofKind.exec(error.message)) || [];
    expect(by, String(error)).toBe(taken.includes(kind) ? undefined : name);
  });
});

test("a task of `pipeline` refuses models of other kinds", async () => {
  for (const kind of ["decoder", "vision", "speech"] as const) {
    const error = await caught(() => pipeline("fill-mask", models[kind] as never));
    expect(error).toBeInstanceOf(ArgumentError);
    expect((error as Error).message).toMatch(/^pipeline: `model` is /);
  }
});

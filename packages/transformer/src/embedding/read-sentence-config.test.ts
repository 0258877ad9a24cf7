import { expect, test } from "vitest";
import { exportModel } from "../exporting/export-model.js";
import { memoryFolder } from "../exporting/memory-folder.js";
import { loadEncoder } from "../load.js";
import { encoder } from "../models/encoder.js";

const { config, init } = encoder({
  ...{ vocabSize: 10, embedDim: 8, hiddenDim: 12, numLayers: 1, numHeads: 2, contextLength: 6 },
  ...{ numTypes: 1, normEps: 2 ** -40 },
});
const { files, ...out } = memoryFolder();
const { maskedTokenHead: _, ...params } = init(1);
await exportModel({ config, params }, { to: "hf", out });

/** Loads the model from its folder with these JSON files added. */
const load = (jsonFiles: Record<string, unknown>) =>
  loadEncoder([
    ...files,
    ...Object.entries(jsonFiles).map(([name, json]) => new File([JSON.stringify(json)], name)),
  ]);

const transformer = { idx: 0, name: "0", path: "", type: "sentence_transformers.models.Transformer" };
const moduleEntry = (type: string, path: string) => ({ path, type: `sentence_transformers.models.${type}` });
const modules = [transformer, moduleEntry("Pooling", "1_Pooling"), moduleEntry("Normalize", "2_Normalize")];
const pooling = {
  word_embedding_dimension: 8,
  pooling_mode_mean_tokens: false,
  pooling_mode_max_tokens: true,
};

test("a folder without modules.json has no sentence configuration", async () => {
  expect((await load({})).sentence).toBeUndefined();
});

test("modules, prompts, maximum length and lowercasing are read", async () => {
  const { sentence } = await load({
    "modules.json": modules,
    "1_Pooling/config.json": pooling,
    "config_sentence_transformers.json": {
      prompts: { query: "q: ", document: "" },
      default_prompt_name: "query",
    },
    "sentence_bert_config.json": { max_seq_length: 5, do_lower_case: true },
  });
  expect(sentence).toMatchObject({
    modules: [{ name: "1_Pooling" }, { name: "2_Normalize" }],
    prompts: { query: "q: ", document: "" },
    defaultPrompt: "query",
    maxTokens: 5,
    lowerCase: true,
  });
});

test("`pooling_mode` of newer files is read, and unknown modes are refused", async () => {
  const model = await load({
    "modules.json": modules,
    "1_Pooling/config.json": { pooling_mode: "lasttoken" },
  });
  expect(model.sentence!.modules).toHaveLength(2);
  await expect(
    load({ "modules.json": modules, "1_Pooling/config.json": { pooling_mode: "median" } }),
  ).rejects.toThrow(
    /pooling_mode.*"median", expected modes of cls, max.*\nFix: qkv does not implement `pooling_mode: "median"`/,
  );
});

test.each<[string, Record<string, unknown>, RegExp]>([
  [
    "an unknown module",
    { "modules.json": [moduleEntry("LSTM", "1_LSTM")] },
    /LSTM.*Pooling, Dense, Normalize/s,
  ],
  [
    "a module without its folder",
    { "modules.json": modules },
    /1_Pooling\/config\.json: what the module does/,
  ],
  [
    "a pooling module without a mode",
    { "modules.json": modules, "1_Pooling/config.json": { ...pooling, pooling_mode_max_tokens: false } },
    /pooling_mode_mean_tokens/,
  ],
  [
    "an unknown activation",
    {
      "modules.json": [moduleEntry("Dense", "2_Dense")],
      "2_Dense/config.json": { in_features: 8, out_features: 4, activation_function: "torch.nn.Softshrink" },
    },
    /activation_function.*Softshrink", expected a class of Identity, Tanh/,
  ],
  [
    "a dense module without weights",
    {
      "modules.json": [moduleEntry("Dense", "2_Dense")],
      "2_Dense/config.json": { in_features: 8, out_features: 4 },
    },
    /2_Dense\/model\.safetensors: the weights/,
  ],
])("%s is refused", async (_, jsonFiles, message) => {
  await expect(load(jsonFiles)).rejects.toThrow(message);
});

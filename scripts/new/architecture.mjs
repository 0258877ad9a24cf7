// Template of an architecture, with a table to replace: Llama with norms after attention and MLP. Loading, exporting
// and their test read the table; all else works for any decoder.

export const code = ({
  name,
  snake,
  class: className,
  title,
}) => `import type { Architecture } from "./architecture.js";
import { activation, bias, rope, trait } from "./config-entry.js";
import { llamaSizes, llamaTensors, outNorms, rmsEps } from "./llama-parts.js";

/** ${title}: Llama with norms of what attention and MLP add, in place of those before them. */
export const ${name}: Architecture = {
  modelTypes: ["${snake}"],
  class: "${className}ForCausalLM",
  // Fields of config.json beside our configuration, both ways. A field that no entry reads is refused when a model is loaded.
  config: () => [
    ...llamaSizes(),
    rmsEps(1e-5),
    activation(),
    rope(),
    bias("attention_bias", ["queryKeyValue", "attentionOutput"]),
    trait({ placement: "after" }),
  ],
  // Names of tensors beside our params, both ways.
  tensors: (config, tied) => llamaTensors(config, tied, { norms: outNorms }),
};
`;

export const test = ({ name, kebab, snake }) => `import { randn } from "@qkv/tensor";
import { expect, test } from "vitest";
import { exportModel } from "../exporting/export-model.js";
import { memoryFolder } from "../exporting/memory-folder.js";
import { load } from "../load.js";
import { decoder } from "../models/decoder.js";
import { ${name} } from "./${kebab}.js";

// A tiny checkpoint that the model's own code computed belongs into conformance/data/hf: it is run there, and held to the
// tests of every decoder (conformance/src/architectures/every-decoder.test.ts).

const config = {
  vocabSize: 11,
  embedDim: 8,
  hiddenDim: 12,
  numLayers: 2,
  numHeads: 4,
  numKvHeads: 2,
  contextLength: 32,
  normEps: 1e-5,
  stopIds: [2],
  placement: "after",
} as const;
const ids = [3, 1, 4, 1, 5];

test("a model is written under its name and read back the same", async () => {
  const model = { config, params: decoder(config).init(1), tokenizer: undefined };
  // Gains of their own, so that no norm stands for another.
  model.params.layers.forEach((layer, i) => (layer.attentionNorm.weight = randn([8], { seed: i })));
  const { files, ...out } = memoryFolder();
  await exportModel(model, { to: "hf", out });
  const json = JSON.parse(await files.find(({ name }) => name === "config.json")!.text()) as object;
  expect(json).toMatchObject({ model_type: "${snake}", architectures: [${name}.class] });
  const back = await load(files);
  expect(back.config).toMatchObject(config);
  expect(back.apply(back.params, ids).data).toEqual(decoder(config).apply(model.params, ids).data);
});

test("a field that the table does not know is refused by its name", async () => {
  const { files, ...out } = memoryFolder();
  await exportModel({ config, params: decoder(config).init(1) }, { to: "hf", out });
  const changed = await Promise.all(
    files.map(async (file) =>
      file.name === "config.json"
        ? new File([JSON.stringify({ ...JSON.parse(await file.text()), sandwich_norm: true })], file.name)
        : file,
    ),
  );
  await expect(load(changed)).rejects.toThrow(/config.json: sandwich_norm/);
});
`;

export const changeset = ({ title }) => `---
"@qkv/transformer": minor
---

\`load\` and \`exportModel\` know ${title}.
`;

// Pages that say what qkv has, or lacks, agree with the code; versions of other libraries are those that we run.
import * as convolutions from "@qkv/tensor/convolutions";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as transformer from "@qkv/transformer";
import { expect, test } from "vitest";
import { publicPackages } from "../../scripts/packages.mjs";
import { taskAliases, tasks } from "../../packages/transformer/src/pipeline/pipeline.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const read = (path: string) => readFileSync(root + path, "utf8");
const comparison = read("apps/docs/proof/comparison.mdx");
/** The cells of the row that begins with a name. */
const row = (name: string) =>
  comparison
    .split("\n")
    .find((line) => line.startsWith(`| ${name} |`))!
    .split("|")
    .slice(2, -1)
    .map((cell) => cell.trim());

const named = tasks.filter((task) => !(task in taskAliases));

test.each(["packages/transformer/README.md", "apps/docs/guides/from-transformers-js.mdx"])(
  "%s has every task of `pipeline`",
  (path) => {
    const text = read(path);
    expect(named.filter((task) => !text.includes(`\`${task}\``) && !text.includes(`"${task}"`))).toEqual([]);
  },
);

test("the comparison names the tasks beyond text that `pipeline` has", () => {
  const ours = row("tasks beyond text")[0];
  const words: Record<string, string> = {
    "automatic-speech-recognition": "speech to text",
    "image-classification": "labels",
    "image-feature-extraction": "features",
    "zero-shot-image-classification": "zero-shot labels",
  };
  const beyondText = named.filter((task) => /speech|image|audio|video|depth|object/.test(task));
  expect(Object.keys(words).toSorted(), "write the new task in the table, and its words here").toEqual(
    beyondText.toSorted(),
  );
  for (const task of beyondText) expect(ours).toContain(words[task]);
});

test("the comparison names our GPU devices, and which are experimental", () => {
  const parts = row("GPUs")[0]!.split(";");
  const devices = publicPackages().filter(({ json }) => /gpu$/.test(json.name));
  expect(devices.map(({ name }) => name).toSorted()).toEqual(["@qkv/gpu", "@qkv/webgpu"]);
  for (const { name, json } of devices) {
    const part = parts.find((each) => each.includes(`\`${name}\``));
    expect(part, name).toBeDefined();
    expect(part!.includes("experimental"), name).toBe(json.stability !== "stable");
  }
});

test("versions of other libraries are those that the benchmarks run, so that a new one is read again", () => {
  const { dependencies } = JSON.parse(read("benchmarks/package.json"));
  const heading = comparison.match(/^\| \| qkv \|.*$/m)![0];
  expect(
    [...heading.matchAll(/(\S+) (\d+\.\d+\.\d+) \[\^npm\]/g)].map(([, name, version]) => [name, version]),
  ).toEqual([
    ["Transformers.js", dependencies["@huggingface/transformers"]],
    ["onnxruntime-web", dependencies["onnxruntime-web"]],
    ["TensorFlow.js", dependencies["@tensorflow/tfjs"]],
  ]);
});

test("the page about beams names encoder–decoders, and `beamSearch` takes one", async () => {
  const sizes = { vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 1, numHeads: 2, contextLength: 32 };
  const translator = transformer.encoderDecoder({ ...sizes, startIds: [2], stopIds: [2] });
  const model = { ...translator, params: translator.init(1), tokenizer: undefined };
  const { sequences } = await transformer.beamSearch(model, [[3, 1, 4]], { numBeams: 2, maxTokens: 3 });
  expect(sequences[0]).toHaveLength(1);
  const page = read("apps/docs/reference/generation/beams.mdx");
  expect(page).toMatch(/\*\*Models\.\*\* .*encoder–decoders/);
  expect(page).not.toMatch(/not supported/);
});

test.each(["reference/generation/sound-features", "lessons/sound-against-words"])(
  "%s says whether there are times of words",
  (page) => {
    const text = read(`apps/docs/${page}.mdx`);
    expect(text.includes("(/api/@qkv/transformer/#wordtimestamps)")).toBe("wordTimestamps" in transformer);
    expect(text).not.toContain("no times of words");
  },
);

test("the guide for users of TensorFlow.js says which convolutions there are", () => {
  const guide = read("apps/docs/guides/from-tfjs.mdx");
  expect(Object.keys(convolutions)).toEqual(expect.arrayContaining(["conv2d", "maxPool2d", "avgPool2d"]));
  expect(Object.keys(convolutions).some((name) => /transpose/i.test(name))).toBe(
    !guide.includes("transposed"),
  );
  expect(guide).toContain("`@qkv/tensor/convolutions`");
});

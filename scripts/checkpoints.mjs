// Writes the table of architectures in the guide "Run a checkpoint from Hugging Face",
// apps/docs/guides/bring-a-checkpoint.mdx. For each architecture, exports, quantizes and traces a small model. --check
// only compares.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { sampleOf } from "./checkpoints/samples.mjs";
import { sources } from "./checkpoints/sources.mjs";
import { layerKinds, traits } from "./checkpoints/traits.mjs";

const page = new URL("../apps/docs/guides/bring-a-checkpoint.mdx", import.meta.url);
const begin = "{/* Made from the tables of architectures: npm run checkpoints. */}";
const end = "{/* End of what is made. */}";

const {
  architectures,
  encoderArchitectures,
  visionArchitectures,
  dualEncoderArchitectures,
  encoderDecoderArchitectures,
  speechArchitectures,
  llama,
  gpt2,
  huggingFaceDecoders,
  ggufDecoders,
  ...packages
} = await sources({
  "transformer/src/architectures/architectures.ts": ["architectures"],
  "transformer/src/architectures/encoders/encoder-architectures.ts": ["encoderArchitectures"],
  "transformer/src/architectures/speech/speech-architectures.ts": ["speechArchitectures"],
  "transformer/src/architectures/vision/vision-architectures.ts": [
    "dualEncoderArchitectures",
    "visionArchitectures",
  ],
  "transformer/src/architectures/encoder-decoders/encoder-decoder-architectures.ts": [
    "encoderDecoderArchitectures",
  ],
  "transformer/src/architectures/config-entry.ts": ["readFields"],
  "transformer/src/architectures/config-fields.ts": ["configFields"],
  "transformer/src/checkpoints/hugging-face/llama.ts": ["llama"],
  "transformer/src/checkpoints/hugging-face/gpt2.ts": ["gpt2"],
  "transformer/src/exporting/architecture-constraints.ts": ["normalizedConfig"],
  "transformer/src/exporting/architecture-decoder.ts": ["architectureDecoder", "canRepresent"],
  "transformer/src/exporting/gguf/gguf-decoders.ts": ["ggufDecoders"],
  "transformer/src/exporting/hugging-face-decoders.ts": ["huggingFaceDecoders"],
  "transformer/src/index.ts": ["decoder", "encoder", "load", "loadEncoder", "quantize"],
  "transformer/src/export.ts": ["exportModel", "memoryFolder"],
  "tensor/src/index.ts": ["zeros"],
  "core/src/index.ts": ["readGgufHeader"],
  "cost/src/index.ts": ["parameters", "readConfig"],
});
const { exportModel, memoryFolder, readGgufHeader, quantize, readConfig, parameters } = packages;
const { architectureDecoder, normalizedConfig } = packages;

/**
 * An architecture, a row of the table.
 *
 * @typedef {{ modelTypes: readonly string[], class: string, table?: object, gguf: string[] }} Entry
 */

/** Architectures with a reader of their own, and those that are defined by tables. */
function entries() {
  const byCode = [...llama.modelTypes, ...gpt2.modelTypes].flatMap((type) => {
    const reader = huggingFaceDecoders.find(({ name }) => name === type);
    if (!reader) return []; // the text model of a vision-language model
    const outer = llama.modelTypes.filter((name) => `${name}_text` === type);
    const gguf = ggufDecoders.filter(({ name }) => name === type).map(({ architecture }) => architecture);
    return [{ modelTypes: [type, ...outer], class: reader.class, gguf }];
  });
  const byTable = architectures.map((table) => ({
    ...{ modelTypes: table.modelTypes, class: table.class, table },
    gguf: [...new Set((table.gguf?.() ?? []).map(({ name }) => name))],
  }));
  return [...byCode, ...byTable].toSorted((a, b) => (a.modelTypes[0] < b.modelTypes[0] ? -1 : 1));
}

/** Files of an exported model, or the error that refuses it. */
async function exported(model, to) {
  const out = memoryFolder();
  try {
    await exportModel(model, { to, out });
    return { files: out.files };
  } catch (error) {
    if (!error.argument) throw error;
    return { error };
  }
}

/** True if a model quantized to this many bits computes finite logits. */
function runsIn(kind, model) {
  const { params, apply } = quantize(model, { kind }).model;
  return apply(params, [1, 2, 3]).data.every(Number.isFinite);
}

/** True if each attention layer leaves weights in the trace, and each layer its output. */
function traces({ config, params, apply }) {
  const trace = { names: ["weights", "output"], tensors: {} };
  apply(params, [1, 2, 3], { trace });
  const { layerTypes = new Array(config.numLayers).fill("full") } = config;
  return layerTypes.every((type, i) => {
    const attends = typeof type === "string" ? type !== "none" : "mixer" in type;
    const isTraced = `layers.${i}.attention.weights` in trace.tensors;
    return `layers.${i}.output` in trace.tensors && attends === isTraced;
  });
}

const code = (names) => names.map((name) => `\`${name}\``).join(", ");

/** Number of elements of all tensors in a checkpoint of an architecture. */
function elementCount({ table, modelTypes }, { config, params }) {
  const decoder = table
    ? architectureDecoder(table)
    : huggingFaceDecoders.find(({ name }) => name === modelTypes[0]);
  const tensors = decoder.tensors(normalizedConfig(config, params), params);
  return tensors.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
}

/** True if `readConfig` of @qkv/cost accepts a configuration. Its parameter count must match the checkpoint. */
function isPriced(json, entry, model) {
  let shape;
  try {
    shape = readConfig(json);
  } catch (error) {
    if (error.argument !== "model_type") throw error;
    return false;
  }
  const [{ total }, numbers] = [parameters(shape), elementCount(entry, model)];
  if (total === numbers) return true;
  throw new Error(`readConfig counts ${total} parameters of a ${json.model_type} that has ${numbers}`);
}

/** Properties of a small model of an architecture. */
async function found(entry) {
  const { json, model } = await sampleOf(entry, packages);
  const { config } = model;
  const [written, gguf, onnx] = [
    await exported(model, "hf"),
    await exported(model, "gguf"),
    await exported(model, "onnx"),
  ];
  const borrowed = async () =>
    gguf.files
      ? [
          readGgufHeader(new Uint8Array(await gguf.files[0].arrayBuffer())).metadata.get(
            "general.architecture",
          ),
        ]
      : [];
  return {
    entry,
    layers: layerKinds(config),
    traits: traits(config),
    gguf: entry.gguf.length > 0 ? entry.gguf : await borrowed(),
    onnx,
    cost: isPriced(json, entry, model),
    lacks: [
      written.error && "is not written to the layout of Hugging Face",
      !runsIn("int8", model) && "does not run in int8",
      !runsIn("int4", model) && "does not run in int4",
      !traces(model) && "is not traced",
    ].filter(Boolean),
  };
}

function row({ entry, layers, traits, gguf, onnx, cost }) {
  // The field that ONNX cannot express, without the layer's index.
  const field = onnx.error?.argument.replace(/^config\./, "").replace(/\[\d+\]$/, "");
  const cells = [
    `${code(entry.modelTypes)}<br/>${entry.class}`,
    code(layers),
    traits.join("; "),
    gguf.length > 0 ? code(gguf) : "no",
    field ? `no: \`${field}\`` : "yes",
    cost ? "yes" : "no",
  ];
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

/** The table, followed by the exceptions. */
export async function checkpointList() {
  const all = [];
  for (const entry of entries()) all.push(await found(entry));
  const types = all.reduce((sum, { entry }) => sum + entry.modelTypes.length, 0);
  const exceptions = all.flatMap(({ entry, lacks }) =>
    lacks.map((what) => `- \`${entry.modelTypes[0]}\` ${what}.`),
  );
  const but = exceptions.length > 0 ? `, but for these:\n\n${exceptions.join("\n")}` : ".";
  return `The table has ${all.length} decoders under ${types} names of \`model_type\`. Each is loaded from safetensors (one file or several; float32, float16 or bfloat16), written back to the layout of Hugging Face, quantized to \`int8\` and \`int4\`, and traced: the attention weights of every layer that attends, and the output of every layer${but}

| \`model_type\`, class | layers | traits | GGUF | ONNX | cost |
| --- | --- | --- | --- | --- | --- |
${all.map(row).join("\n")}

- **Layers:** the kinds of layers in a small model of the architecture, under the names that \`qkv inspect\` prints. \`full\`, \`sliding\` and \`chunked\` are softmax attention, \`none\` is a layer without attention, and the others hold a state.
- **GGUF:** the name in llama.cpp, under which files are read and written. \`exportModel\` refuses a model with a trait that llama.cpp would compute otherwise, and names the trait.
- **ONNX:** written by \`exportModel(model, { to: "onnx" })\`, with opset 23 or 17. After "no" stands the field of the configuration that no graph holds.
- **Cost:** \`readConfig\` of \`@qkv/cost\` reads the \`config.json\`, so parameters, memory and time can be computed before the weights are downloaded.
- **Encoders:** \`loadEncoder\` reads ${code(encoderArchitectures.flatMap(({ modelTypes }) => modelTypes))}, each with its head for a task; \`exportModel\` writes those that compute as BERT does, to GGUF and ONNX too, and refuses the others by name.
- **Encoder–decoders:** \`loadEncoderDecoder\` reads ${code(encoderDecoderArchitectures.flatMap(({ modelTypes }) => modelTypes))}, a \`bart\` with its head for labels too; \`exportModel\` writes them to the layout of Hugging Face alone. Their tokenizer is read from \`tokenizer.json\`, or from Marian's \`source.spm\` and \`vocab.json\`.
- **Models of images:** \`loadVision\` reads ${code(visionArchitectures.flatMap(({ modelTypes }) => modelTypes))}, with a head for labels where a file has one, and \`loadDualEncoder\` reads ${code(dualEncoderArchitectures.flatMap(({ modelTypes }) => modelTypes))}: an encoder of texts and one of images. Both are quantized and traced as decoders are; \`exportModel\` writes them to the layout of Hugging Face, and encoders of images with a class token to ONNX.
- **Speech models:** \`loadSpeech\` reads ${code(speechArchitectures.flatMap(({ modelTypes }) => modelTypes))}, with the front end and the rules of generation of their folder, and \`transcribe\` writes down sound of any length. They are quantized and traced as decoders are; \`exportModel\` writes them to the layout of Hugging Face.`;
}

/** Names of `model_type` in the table, and one of its rows. */
export const checkpointNames = () => entries().flatMap(({ modelTypes }) => modelTypes);
export const checkpointRow = async (name) =>
  row(await found(entries().find(({ modelTypes }) => modelTypes.includes(name))));

/** The page with the new table. */
export async function checkpointPage() {
  const text = readPage();
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from)
    throw new Error(`bring-a-checkpoint.mdx has no "${begin}" and "${end}" after it`);
  return `${text.slice(0, from + begin.length)}\n\n${await checkpointList()}\n\n${text.slice(to)}`;
}

/** The page as checked in. */
export const readPage = () => readFileSync(page, "utf8");

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = await checkpointPage();
  if (!process.argv.includes("--check")) writeFileSync(page, text);
  else if (readPage() !== text) {
    console.error("the architectures have changed: run npm run checkpoints, and commit what it writes");
    process.exitCode = 1;
  }
}

// Writes a module of src/ from the results of `qkv train`: `node embed.mjs weights first second`, the name of the module and the runs in
// order, of which the last one has the model. Weights become float16.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

const [module, ...folders] = process.argv.slice(2);
const read = (name) => readFileSync(join(folders.at(-1), name));
const tokenizer = JSON.parse(read("tokenizer.json"));
// A story is a line: a line break begins it, and ends it.
const lineBreak = "Ċ";
const id = tokenizer.model.vocab[lineBreak];
const config = {
  ...JSON.parse(read("config.json")),
  bos_token_id: id,
  eos_token_id: id,
  torch_dtype: "float16",
};
const texts = {
  "config.json": JSON.stringify(config),
  "tokenizer.json": JSON.stringify(tokenizer),
  "tokenizer_config.json": JSON.stringify({ bos_token: lineBreak, eos_token: lineBreak }),
};

const target = fileURLToPath(new URL("../", import.meta.url));
writeFileSync(
  join(target, `src/${module}.ts`),
  `// Made by scripts/embed.mjs.
export const texts: Readonly<Record<string, string>> = ${JSON.stringify(texts, null, 2)};

export const weights: string =
  "${halved(read("model.safetensors")).toString("base64")}";
`,
);
mkdirSync(join(target, "training"), { recursive: true });
for (const folder of folders) {
  const to = (name) => join(target, "training", `${basename(folder)}${name}`);
  copyFileSync(join(folder, "training.json"), to(".json"));
  copyFileSync(join(folder, "curve.csv"), to("-curve.csv"));
}

/** Converts a float32 safetensors file to float16. */
function halved(file) {
  const start = 8 + Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.subarray(8, start));
  const numbers = new Float32Array(file.buffer.slice(file.byteOffset + start, file.byteOffset + file.length));
  for (const [name, tensor] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    if (tensor.dtype !== "F32") throw new Error(`${name} is ${tensor.dtype}, expected F32`);
    tensor.dtype = "F16";
    tensor.data_offsets = tensor.data_offsets.map((at) => at / 2);
  }
  const text = JSON.stringify(header);
  const padded = Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  return Buffer.concat([length, padded, Buffer.from(new Float16Array(numbers).buffer)]);
}

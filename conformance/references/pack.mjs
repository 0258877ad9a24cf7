// Fills conformance/data from a larger set of the same layout: node conformance/references/pack.mjs FOLDER
// The lists below select the files; add data together with the test that reads it. Text and vectors are gzipped. Weights of hf/
// and sentence-transformers/ are gzipped by planes: byte 0 of all elements, then byte 1 and so on. Other files that loaders
// open by path are copied unchanged.
import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { dataFolder } from "../data-folder.mjs";

const own = fileURLToPath(new URL("../data/", import.meta.url));

const folders = [
  ...["onnx", "torch", "torch-more", "linear", "x-transformers", "blt", "generation", "planner"],
  ...["audio", "corpora", "images", "lora", "sentence-transformers"],
  ...["models", "tokenizers/refs", "tokenizers/llama.cpp", "tokenizers/bpe-training"],
];
const files = [
  "tokenizers/strings.json",
  "tokenizers/vocab/albert-30k-clean/30k-clean.model",
  "tokenizers/vocab/bert-base-uncased/tokenizer.json",
  "tokenizers/vocab/gguf/bert-bge.gguf",
  "tokenizers/vocab/gguf/phi-3.gguf",
  "tokenizers/vocab/gpt2/LICENSE",
  "tokenizers/vocab/gpt2/encoder.json",
  "tokenizers/vocab/gpt2/vocab.bpe",
  "tokenizers/vocab/mistral-v1/tokenizer.json",
  "tokenizers/vocab/spm-unigram-1k-en/spm.model",
];
/** Models of `hf/` with a loadable architecture: copied completely. Of others, only the configuration is copied. */
const models = [
  ...["llama3-rope", "llama-bias-yarn", "llama-dynamic-rope", "llama-sequence-classification"],
  ...["mistral-window", "mixtral", "phi3-longrope", "qwen2-window", "qwen3-bf16"],
  ...["qwen3-moe", "qwen3-moe-dense-layers"],
  ...["apertus", "deepseek-v3", "deepseek-v32", "diffllama", "gpt-oss", "llama4-text", "minicpm3"],
  ...["arcee", "bloom", "cohere2", "ernie4-5", "exaone4", "falcon-alibi", "falcon-multi-query", "glm4"],
  ...["blt", "falcon-h1", "lfm2", "mamba", "mamba2", "qwen3-5-text"],
  ...["granite-moe-hybrid", "minimax", "nemotron-h", "qwen3-next", "rwkv7"],
  ...["gpt-neox", "granite", "olmo2", "olmo3", "opt", "smollm3", "starcoder2"],
  ...[
    "gemma",
    "gemma2",
    "gemma3-text",
    "gemma3n-text",
    "gemma4-text",
    "gemma3-bidirectional",
    "gpt2",
    "gpt-bigcode",
  ],
  ...["bert-mlm", "bert-pooler", "bert-multi-label", "bert-question-answering", "bert-regression"],
  ...["bert-sequence-classification", "bert-token-classification"],
  ...["roberta", "roberta-mlm", "roberta-nli", "roberta-sequence-classification"],
  ...["xlm-roberta", "xlm-roberta-token-classification"],
  ...["albert", "distilbert", "distilbert-mlm", "distilbert-question-answering"],
  ...["distilbert-sequence-classification", "electra", "electra-sequence-classification"],
  ...["modernbert", "modernbert-sequence-classification", "modernbert-sequence-classification-mean"],
  ...["mpnet", "nomic-bert"],
  ...["bart", "bart-nli", "m2m-100", "marian", "t5", "t5-gated"],
  ...["moonshine", "whisper"],
  ...["vit", "vit-classifier", "dinov2", "clip", "siglip"],
];

/** References of a model, which no loader opens, and all files outside of model folders. */
const isPacked = (name) =>
  !/^(models|hf|lora|sentence-transformers)\//.test(name) ||
  /^(refs\.json|logits\.f32)$/.test(basename(name));

const [source] = process.argv.slice(2);
if (source === undefined || !existsSync(join(source, "onnx"))) {
  console.error("pack: name a folder laid out like the reference data, with onnx/ in it.");
  process.exit(1);
}
const data = dataFolder(source);
const names = [
  ...folders.flatMap((folder) => data.files(folder)),
  ...files,
  ...data.files("hf").filter((name) => models.includes(name.split("/")[1]) || /\/config.*\.json$/.test(name)),
];
for (const folder of new Set(names.map((name) => name.split("/")[0])))
  rmSync(join(own, folder), { recursive: true, force: true });
const isWeights = (name) => /^(hf|sentence-transformers)\/.*\.safetensors$/.test(name);
const gzip = (bytes) => gzipSync(bytes, { level: 9 });
/** The planes of 4-byte elements: every fourth byte, starting at 0, 1, 2 and 3. */
const planesOf = (bytes) =>
  Buffer.concat([0, 1, 2, 3].map((plane) => bytes.filter((_, at) => at % 4 === plane)));
const endings = new Map();
for (const name of names) {
  const bytes = data.bytes(name);
  const ending = isWeights(name) ? ".planes.gz" : isPacked(name) && bytes.length > 2048 ? ".gz" : "";
  const packed = ending === "" ? bytes : gzip(ending === ".gz" ? bytes : planesOf(bytes));
  endings.set(name, ending);
  const path = join(own, name + ending);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, packed);
}
const sizes = names.map((name) => statSync(join(own, name + endings.get(name))).size);
const total = sizes.reduce((sum, size) => sum + size, 0);
console.log(
  `${names.length} files, ${(total / 1e6).toFixed(1)} MB; the largest has ${Math.max(...sizes)} bytes`,
);

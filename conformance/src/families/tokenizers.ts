import type { EncodeOptions, Tokenizer } from "@qkv/tokenizer";
import type { DataFolder } from "../../data-folder.mjs";
import { brokenCase, type Case, type Source } from "../case.js";
import { compareIds, compareText, type Check } from "../check.js";
import { emptyFolder, readCases, stemOf } from "../data-files.js";
import { openVocabulary, type Vocabulary } from "./vocabularies.js";

const folder = "tokenizers";

/** `tokenizers/refs/*.json` and `tokenizers/llama.cpp/*.json`: ids of texts. A case is one text. */
export function tokenizers(data: DataFolder): Source[] {
  const refs = data.names(`${folder}/refs`, ".json").map((name) => refsSource(data, name));
  const llamaCpp = data.names(`${folder}/llama.cpp`, ".json").map((name) => llamaCppSource(data, name));
  const sources = [...refs, ...llamaCpp];
  return sources.length > 0 ? sources : emptyFolder(data, folder, folder);
}

function refsSource(data: DataFolder, name: string): Source {
  const file = `${folder}/refs/${name}`;
  const texts = readStrings(data);
  let opened: Promise<Tokenizer> | undefined;
  const cases = readCases(data, file, (entry, whole) => {
    const label = `${stemOf(name)} ${entry.name}`;
    const vocabulary = (whole["vocabulary"] ?? {}) as Vocabulary;
    const { path, npm } = vocabulary;
    if (path === undefined && npm === undefined) return brokenCase(label, "names no vocabulary");
    if (path !== undefined && !data.has(`${folder}/${path}`)) {
      return brokenCase(label, `its vocabulary ${path} is missing`);
    }
    const options = optionsOf(whole["made_by"], path);
    const run: Case["run"] = async () => {
      opened ??= openVocabulary(vocabulary, data, folder);
      return compareTokens(await opened, entry.value, texts.get(entry.value["id"]), options);
    };
    return { name: label, run };
  });
  return { family: folder, file, cases };
}

/** The vocabulary: the GGUF file of the same name, or the vocabulary in the refs of the same tokenizer. */
function llamaCppSource(data: DataFolder, name: string): Source {
  const file = `${folder}/llama.cpp/${name}`;
  const stem = stemOf(name);
  let opened: Promise<Tokenizer> | undefined;
  const cases = readCases(data, file, (entry) => ({
    name: `llama.cpp ${stem} ${entry.name}`,
    async run() {
      opened ??= openVocabulary(llamaCppVocabulary(data, stem), data, folder);
      const { text } = entry.value;
      const options = { addSpecialTokens: false };
      return compareTokens(await opened, entry.value, typeof text === "string" ? text : undefined, options);
    },
  }));
  return { family: folder, file, cases };
}

function llamaCppVocabulary(data: DataFolder, stem: string): Vocabulary {
  const gguf = `vocab/gguf/${stem}.gguf`;
  if (data.has(`${folder}/${gguf}`)) return { path: gguf };
  const refs = `${folder}/refs/${Object.hasOwn(aliases, stem) ? aliases[stem] : stem}.json`;
  if (!data.has(refs)) throw new Error(`has neither ${folder}/${gguf} nor ${refs}`);
  const { vocabulary } = data.json(refs) as { vocabulary?: Vocabulary };
  return vocabulary ?? {};
}

/** Names of tokenizers in llama.cpp, with the names in the refs. */
const aliases: Readonly<Record<string, string>> = {
  "gpt-2": "gpt2",
  "bert-bge": "bert-base-uncased",
  "llama-bpe": "llama3",
  "llama-spm": "llama2",
  qwen2: "qwen3",
};

/** llama2.c adds a BOS token, the others nothing; tiktoken and SentencePiece do not parse special tokens. */
function optionsOf(madeBy: unknown, path = ""): EncodeOptions {
  const ordinary = /encode_ordinary|sentencepiece/i.test(String(madeBy));
  return { addSpecialTokens: path.endsWith(".bin"), ...(ordinary && { specialTokens: "ordinary" }) };
}

function compareTokens(
  tokenizer: Tokenizer,
  { id, ids, decoded, offsets, tokens, pieces }: Record<string, unknown>,
  text: string | undefined,
  options: EncodeOptions,
): Check[] {
  if (text === undefined) throw new Error(`${folder}/strings.json has no text with the id ${String(id)}`);
  if (!Array.isArray(ids)) throw new Error("has no ids");
  const whole = tokenizer.encoding(text, { ...options, unit: "codePoint" });
  const names = tokens ?? pieces;
  return [
    compareIds("ids", tokenizer.encode(text, options), ids as number[]),
    compareIds("ids with offsets", whole.ids, ids as number[]),
    ...(typeof decoded === "string"
      ? [compareText("decoded", tokenizer.decode(ids as number[]), decoded)]
      : []),
    ...(Array.isArray(offsets)
      ? [compareIds("offsets", whole.offsets.flat(), (offsets as number[][]).flat())]
      : []),
    ...(Array.isArray(names)
      ? [compareText("tokens", whole.tokens.join("\n"), (names as string[]).join("\n"))]
      : []),
  ];
}

/** The texts by id; empty if the file is missing or corrupt, which the cases that need it report. */
function readStrings(data: DataFolder): Map<unknown, string> {
  try {
    const entries = data.json(`${folder}/strings.json`) as {
      id: unknown;
      text: string;
    }[];
    return new Map(entries.map(({ id, text }) => [id, text]));
  } catch {
    return new Map();
  }
}

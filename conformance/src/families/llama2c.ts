import { llama2cTokenizer, type Tokenizer } from "@qkv/tokenizer";
import { generate, load, type Model } from "@qkv/transformer";
import type { DataFolder } from "../../data-folder.mjs";
import type { Source, Target } from "../case.js";
import { compareIds, compareNumbers, compareText, type Check } from "../check.js";
import { readCases } from "../data-files.js";
import { tolerance } from "../tolerance.js";

/** A prompt, its greedy continuation, and the logits of the first `positions` tokens of both. */
type Reference = {
  prompt: string;
  prompt_tokens: number[];
  greedy_tokens: number[];
  text: string;
  logits: { positions: number; offset_floats: number };
};

type Refs = { config: { vocab_size: number }; logits_file: string };

/** llama2.c stops at token 1 only, so token 2 may occur inside a text. */
const endOfText = 1;

/**
 * A llama2.c model folder: a `refs.json` with `config` and `logits_file`, one tokenizer `tok*.bin`, and one other `*.bin`, the
 * checkpoint. A missing file fails every case of the folder.
 */
export function llama2c(data: DataFolder, family: string): Source | undefined {
  const folder = `models/${family}`;
  if (!isLlama2c(data, `${folder}/refs.json`)) return undefined;
  let opened: Promise<Opened> | undefined;
  const file = `${folder}/refs.json`;
  const cases = readCases(data, file, ({ name, value }, refs) => ({
    name: JSON.stringify(value["prompt"] ?? name),
    async run(target) {
      opened ??= open(data, folder, refs as Refs, target);
      return compareCase(await opened, value as Reference, target);
    },
  }));
  return { family, file, cases };
}

function isLlama2c(data: DataFolder, file: string): boolean {
  try {
    const refs = data.json(file) as Partial<Refs> | null;
    return refs?.config !== undefined && refs.logits_file !== undefined;
  } catch {
    return false;
  }
}

/** The model and the tokenizer of a llama2.c folder. */
export async function openLlama2c(
  data: DataFolder,
  folder: string,
  { device }: Target,
): Promise<{ model: Model; tokenizer: Tokenizer }> {
  const { tokenizerName, checkpointName, read } = filesOf(data, folder);
  const tokenizer = llama2cTokenizer(read(tokenizerName));
  return { tokenizer, model: await load(data.path(`${folder}/${checkpointName}`), { device, tokenizer }) };
}

function filesOf(data: DataFolder, folder: string) {
  const names = data.names(folder, ".bin");
  const isTokenizer = (name: string) => name.startsWith("tok");
  const tokenizerName = onlyOne(names.filter(isTokenizer), "tokenizer tok*.bin");
  const checkpointName = onlyOne(
    names.filter((name) => !isTokenizer(name)),
    "checkpoint *.bin",
  );
  const read = (name: string) => data.bytes(`${folder}/${name}`);
  return { tokenizerName, checkpointName, read };
}

type Opened = { model: Model; tokenizer: Tokenizer; logits: Float32Array; vocabSize: number };

async function open(data: DataFolder, folder: string, refs: Refs, target: Target): Promise<Opened> {
  const files = filesOf(data, folder);
  const logits = new Float32Array(files.read(refs.logits_file).buffer);
  return { ...(await openLlama2c(data, folder, target)), logits, vocabSize: refs.config.vocab_size };
}

function onlyOne(names: readonly string[], what: string): string {
  if (names.length === 1) return names[0]!;
  throw new Error(
    names.length === 0 ? `its ${what} is missing` : `it has ${names.length} of ${what}: ${names.join(", ")}`,
  );
}

async function compareCase(
  { model, tokenizer, logits, vocabSize }: Opened,
  reference: Reference,
  target: Target,
): Promise<Check[]> {
  const { prompt, prompt_tokens, greedy_tokens, text } = reference;
  if (!prompt_tokens?.length || !Array.isArray(greedy_tokens) || !reference.logits?.positions) {
    throw new Error("has no outputs: prompt_tokens, greedy_tokens and logits are needed");
  }
  const { positions, offset_floats } = reference.logits;
  const ids = [...prompt_tokens, ...greedy_tokens].slice(0, positions);
  const ours = model.apply(model.params, ids); // [1, positions, V]
  const theirs = logits.subarray(offset_floats, offset_floats + positions * vocabSize);
  if (theirs.length < positions * vocabSize)
    throw new Error("its logits file ends before the logits of this case");

  const generated: number[] = [];
  const sampling = { temperature: 0 };
  // An empty continuation means that the text ended immediately, which takes one step to check.
  const options = { maxTokens: Math.max(1, greedy_tokens.length), sampling, stop: [endOfText] };
  for await (const { id } of generate(model, prompt_tokens, options)) generated.push(id);

  return [
    compareIds("prompt_tokens", tokenizer.encode(prompt), prompt_tokens),
    compareNumbers(
      "logits",
      { shape: ours.shape, values: await ours.read() },
      { shape: [1, positions, vocabSize], values: theirs },
      tolerance("logits", target.class),
      { absolute: true },
    ),
    compareIds("greedy_tokens", generated, greedy_tokens),
    compareText("text", tokenizer.decode([...prompt_tokens, ...generated]), text),
  ];
}

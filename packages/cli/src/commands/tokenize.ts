import { ArgumentError } from "@qkv/core";
import type { Encoding, Tokenizer, Trace } from "@qkv/tokenizer";
import type { Command } from "commander";
import type { Input, Io } from "../io.js";
import { openOutputFile } from "../output-file.js";
import { readTokenizer } from "../read-tokenizer.js";

type Options = {
  tokenizer: string;
  jsonl?: true;
  template?: true;
  trace?: true;
  json?: true | string;
};

/** Adds `qkv tokenize`: converts text to token ids. */
export function addTokenize(program: Command, io: Io): void {
  program
    .command("tokenize")
    .summary("turn text into token ids")
    .description("Reads text from standard input and prints its token ids.")
    .requiredOption(
      "--tokenizer <path>",
      "a tokenizer.json, .model, .gguf, vocab.json, .tiktoken, vocab.txt or tok*.bin, or a folder that contains one",
    )
    .option("--jsonl", "read one text per line, as a JSON string, and print one JSON list per line")
    .option("--template", "add the special tokens that the model expects around a text: <s>, [CLS] and so on")
    .option("--trace", "show the result of each stage, merge by merge")
    .option("--json [file]", "write one JSON object to the file; without a file, print only that object")
    .addHelpText(
      "after",
      '\nExample:\n  echo -n "Once upon a time" | qkv tokenize --tokenizer tokenizer.json',
    )
    .action((options: Options) => runTokenize(options, io));
}

async function runTokenize(options: Options, { in: input, out, signal }: Io): Promise<void> {
  const { json, jsonl = false, trace = false } = options;
  const file = typeof json === "string" ? await openOutputFile(json, "--json") : undefined;
  try {
    const { tokenizer, alwaysBegins } = await readTokenizer(options.tokenizer);
    const addSpecialTokens = options.template ?? alwaysBegins;
    const content = await readAll(input, signal);
    const texts = jsonl ? readLines(content) : [content];
    const results: (Encoding & { trace?: Trace })[] = [];
    for (const text of texts) {
      signal.throwIfAborted();
      const traced = trace ? tokenizer.trace(text, { addSpecialTokens }) : undefined;
      if (json === undefined || file)
        out.write(formatResult(tokenizer, text, traced, { jsonl, addSpecialTokens }));
      if (json !== undefined) {
        results.push({ ...tokenizer.encoding(text, { addSpecialTokens }), ...(traced && { trace: traced }) });
      }
    }
    if (json !== undefined) {
      const { vocabSize } = tokenizer;
      const count = results.reduce((sum, { ids }) => sum + ids.length, 0);
      const object = jsonl ? { vocabSize, count, lines: results } : { vocabSize, count, ...results[0] };
      const text = `${JSON.stringify(object)}\n`;
      if (json === true) out.write(text);
      await file?.finish(text);
    }
  } finally {
    await file?.discard();
  }
}

/** The ids of a text, or each stage of tokenization. */
function formatResult(
  tokenizer: Tokenizer,
  text: string,
  trace: Trace | undefined,
  options: { jsonl: boolean; addSpecialTokens: boolean },
): string {
  const { addSpecialTokens, jsonl } = options;
  if (!trace) {
    const ids = tokenizer.encode(text, { addSpecialTokens });
    return jsonl ? `${JSON.stringify(ids)}\n` : `${ids.join(" ")}\n`;
  }
  const lines = [`text        ${JSON.stringify(text)}`];
  for (const part of trace.parts) {
    if ("added" in part) {
      lines.push(`token       ${JSON.stringify(part.added)} ${part.id}`);
      continue;
    }
    lines.push(`normalized  ${JSON.stringify(part.normalized)}`);
    for (const { preToken, tokens, ids, steps } of part.preTokens) {
      lines.push(`piece       ${JSON.stringify(preToken)}`);
      for (const step of steps ?? [tokens]) lines.push(`            ${step.join(" ")}`);
      lines.push(`ids         ${ids.join(" ")}`);
    }
  }
  return [...lines, `all ids     ${trace.ids.join(" ")}`, ""].join("\n");
}

async function readAll(input: Input, signal: AbortSignal): Promise<string> {
  const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
  let text = "";
  for await (const chunk of input) {
    signal.throwIfAborted();
    text += typeof chunk === "string" ? chunk : utf8.decode(chunk, { stream: true });
  }
  return text + utf8.decode();
}

/** Parses JSON lines of strings, without empty lines. */
function readLines(text: string): string[] {
  return text.split("\n").flatMap((line, i) => {
    if (line.trim() === "") return [];
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      value = undefined;
    }
    if (typeof value === "string") return [value];
    throw new ArgumentError({
      fn: "qkv",
      argument: `standard input, line ${i + 1}`,
      received: line,
      expected: "a JSON string",
      fix: 'write each text on a line of its own, in quotes: "Once upon a time\\n".',
    });
  });
}

import { type QkvError } from "@qkv/core";

/** Options and arguments of the command line, by the arguments of functions that they are passed to. */
const argumentNames: Readonly<Record<string, string>> = {
  "batchStream.open": "data",
  "evaluate.texts": "files",
  "plan.machine": "--machine",
  "loadTokenizer.source": "--tokenizer",
  "readTokenizerFiles.source": "--tokenizer",
  "exportModel.out": "out",
  source: "model",
  adapter: "--adapter",
  tokenizer: "--tokenizer",
};

/** Remedies for a model of the wrong kind, by what it is or was to be: a function of the library is none for who typed a command. */
const fixes: Readonly<Record<string, string>> = {
  "a decoder":
    "`qkv generate`, `chat`, `eval` and `bench` take decoders; `inspect` and `export` take any model.",
  "an encoder": "`qkv embed` takes encoders; `inspect` and `export` take any model.",
  "an encoder–decoder":
    "`qkv inspect` and `export` take any model; to generate, write a program: `generate(await loadEncoderDecoder(path), text)`.",
  "a folder, a file, an address or a repository, and this is the name of a package":
    "give a path, an address, or a repository as owner/name.",
  "a model of texts":
    "`qkv inspect` and `export` take any model; for its answers, write a program: `await (await pipeline(task, path))(image)`.",
  "a speech model":
    "`qkv inspect` and `export` take any model; to transcribe, write a program: `transcribe(await loadSpeech(path), sound)`.",
};

/**
 * The message of an error in the words of a command line: the command in place of the function of the library that refused, and the
 * option or argument that was typed in place of that function's argument. Errors of the command itself are left as they are.
 *
 * @param command - The first word after `qkv`: `generate`.
 */
export function commandErrorMessage(error: QkvError, command: string): string {
  const { fn, argument, received, expected, message } = error;
  if (/^qkv\b/.test(fn)) return message;
  const [problem, ...rest] = message.split("\n");
  const name = argumentNames[`${fn}.${argument}`] ?? argumentNames[argument] ?? argument;
  const renamed = problem!.replace(`${fn}: `, `qkv ${command}: `).replace(`\`${argument}\` `, `\`${name}\` `);
  const kind = argument === "source" ? received : expected;
  const fix = typeof kind === "string" ? fixes[kind] : undefined;
  return [renamed, ...(fix === undefined ? rest : [`Fix: ${fix}`])].join("\n");
}

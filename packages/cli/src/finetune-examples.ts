import { ArgumentError, checks, FormatError, isQkvError } from "@qkv/core";
import type { Tokenizer } from "@qkv/tokenizer";
import { chatTemplate, type ChatMessage, type ChatTemplate } from "@qkv/tokenizer/chat";
import {
  answerExample,
  jsonLines,
  parquetRows,
  textExample,
  type TrainingExample,
} from "@qkv/transformer/data";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { unreadable } from "./missing-file.js";

/** Tokenizer and chat template of the model that reads the examples. */
export type ExampleReader = {
  readonly tokenizer: Tokenizer;
  readonly template: ChatTemplate | undefined;
  /** Answers to learn: all of a conversation, or only the last. */
  readonly answers: "all" | "last";
};

/**
 * Reads training examples from a JSON lines or Parquet file: conversations (`messages`), pairs (`prompt` and `completion`) or
 * texts (`text`).
 *
 * @returns A function that opens the file without its first `skip` records.
 */
export function finetuneExamples(
  path: string,
  reader: ExampleReader,
  argument = "data",
): (skip: number) => AsyncGenerator<TrainingExample, void, undefined> {
  return async function* (skip) {
    await stat(path).catch(async (cause: unknown) => {
      throw await unreadable(path, { argument, ...dataFile }, cause);
    });
    let number = skip;
    for await (const record of await readRecords(path, skip, argument)) {
      number += 1;
      yield toExample(record, reader, `${argument}: record ${number}`);
    }
  };
}

/** Reads the records of a file. */
async function readRecords(path: string, skip: number, argument: string): Promise<AsyncIterable<unknown>> {
  if (!path.endsWith(".parquet")) return jsonRecords(path, skip, argument);
  const reader = await import("hyparquet").catch((cause: unknown) =>
    checks("qkv").refuse({
      argument,
      received: path,
      expected: "JSON lines, as hyparquet is not installed",
      fix: "npm install hyparquet.",
      cause,
    }),
  );
  return parquetRows(await reader.asyncBufferFromFile(path), { skip, reader });
}

async function* jsonRecords(path: string, skip: number, argument: string): AsyncGenerator<unknown> {
  try {
    yield* jsonLines(createReadStream(path), { skip });
  } catch (cause) {
    if (!isQkvError(cause)) throw await unreadable(path, { argument, ...dataFile }, cause);
    const { argument: line, received, expected } = cause;
    // Of a plain text no line is JSON: the fix shows what the lines of the data are.
    const fix = cause.cause instanceof SyntaxError ? oneOfThree : cause.fix;
    const refused = { argument: `${argument}: ${line}`, received, expected, fix, cause };
    checks("qkv").refuse(refused, FormatError);
  }
}

function toExample(
  record: unknown,
  { tokenizer, template, answers }: ExampleReader,
  argument: string,
): TrainingExample {
  const { messages, prompt, completion, text } = (record ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof text === "string") {
    const { eosId } = tokenizer;
    const ids = tokenizer.encode(text);
    if (eosId !== undefined && ids.at(-1) !== eosId) ids.push(eosId);
    // A text with fewer than two tokens has nothing to predict.
    return ids.length < 2 ? { ids: [], targets: [] } : textExample(ids);
  }
  const isPair = typeof prompt === "string" && typeof completion === "string";
  if (!isPair && !Array.isArray(messages)) {
    return checks("qkv").refuse({
      argument,
      received: record,
      expected: "an object with `messages`, with `prompt` and `completion`, or with `text`",
      fix: oneOfThree,
    });
  }
  if (!isPair && !template) {
    return checks("qkv").refuse({
      argument,
      received: "messages, and the model has no chat template",
      expected: "a model with a chat template, or records of `prompt` and `completion`",
      fix: "choose a model that was trained to chat, or write the prompt as the model shall read it.",
    });
  }
  const conversation = isPair
    ? [
        { role: "user", content: prompt },
        { role: "assistant", content: completion },
      ]
    : (messages as ChatMessage[]);
  try {
    return answerExample(conversation, {
      template: template ?? plainTemplate(tokenizer),
      tokenizer,
      answers,
    });
  } catch (cause) {
    if (!(cause instanceof ArgumentError)) throw cause;
    // The error names the record, as a file has many conversations.
    const { received, expected, fix } = cause;
    return checks("qkv").refuse({
      argument: `${argument}: ${cause.argument}`,
      received,
      expected,
      fix,
      cause,
    });
  }
}

/** A chat template for models without one: the prompt, the answer, and the EOS token. */
function plainTemplate(tokenizer: Tokenizer): ChatTemplate {
  const token = (id: number | undefined) => (id === undefined ? "" : (tokenizer.token(id) ?? ""));
  return chatTemplate({
    bos_token: token(tokenizer.bosId),
    eos_token: token(tokenizer.eosId),
    chat_template:
      "{{ bos_token }}{% for m in messages %}{{ m.content }}{% if m.role == 'assistant' %}{{ eos_token }}{% endif %}{% endfor %}",
  });
}

/** Kind of the data, for errors. */
const dataFile = { what: "a file of JSON lines, or a Parquet file" };

const oneOfThree =
  'write one object a line: {"messages": [{"role": "user", "content": "…"}, {"role": "assistant", "content": "…"}]}, ' +
  '{"prompt": "…", "completion": "…"} or {"text": "…"}.';

import { cacheFor, generate } from "@qkv/transformer";
import type { Command } from "commander";
import type { ChatMessage } from "@qkv/tokenizer/chat";
import { chatFormat, endOfMessageIds } from "../chat-format.js";
import type { Io } from "../io.js";
import { readLines, withJson } from "../json-result.js";
import {
  embeddedModel,
  resolveModel,
  modelHelp,
  openModel,
  withModelOptions,
  type ModelOptions,
} from "../open-model.js";
import {
  maxTokens,
  samplingFromOptions,
  withSamplingOptions,
  type SamplingOptions,
} from "../sampling-options.js";
import { readChatTemplate } from "../read-chat-template.js";

type Options = ModelOptions & SamplingOptions & { maxTokens: number; json?: true | string };
type Exchange = { user: string; assistant: string; generatedTokens: number };

/** Adds `qkv chat`: a conversation, one message per line. Earlier messages stay in the cache. */
export function addChat(program: Command, io: Io): void {
  const command = program
    .command("chat")
    .summary("chat with a model, one message per line")
    .description(
      "Chats with a model, using its chat template. Each line of standard input is a message; the KV cache keeps the conversation.",
    )
    .argument("[model]", modelHelp, embeddedModel)
    .option("--max-tokens <n>", "maximum number of tokens per answer", maxTokens, 256);
  withSamplingOptions(withModelOptions(command))
    .option(
      "--json [file]",
      "write the conversation as one JSON object to the file; without a file, print only that object",
    )
    .action((model: string, options: Options) => runChat(model, options, io));
}

async function runChat(source: string, options: Options, io: Io): Promise<void> {
  const { out, err, signal } = io;
  const screen = options.json === true ? undefined : out;
  const work = async (): Promise<{ exchanges: Exchange[] }> => {
    const model = await openModel(source, options, io);
    const { tokenizer, config } = model;
    const template = await readChatTemplate(await resolveModel(source, { signal }));
    const format = chatFormat(tokenizer);
    const stop = template
      ? endOfMessageIds(tokenizer)
      : format.stop.map((text) => tokenizer.id(text) ?? text);
    const messages: ChatMessage[] = [];
    const cache = cacheFor(config);
    const sampling = samplingFromOptions(options);
    const tokens: number[] = [];
    const exchanges: Exchange[] = [];
    if (!template) err.write(`${missingTemplateNote(source, format)}\n`);
    const interactive = io.in.isTTY === true && err.isTTY === true;
    const showPrompt = () => interactive && err.write("> ");
    if (interactive) err.write("Type a line and press Enter; Ctrl-C or Ctrl-D ends the chat.\n");
    showPrompt();
    for await (const user of readLines(io.in)) {
      if (user.trim() === "") {
        showPrompt();
        continue;
      }
      messages.push({ role: "user", content: user });
      if (template) {
        const text = template.render(messages, { addGenerationPrompt: true });
        const ids = tokenizer.encode(text, { specialTokens: "allowed", addSpecialTokens: false });
        // A template may change earlier messages: the common prefix stays in the cache, and at least one token is computed.
        const firstDifference = ids.findIndex((id, i) => id !== tokens[i]);
        const commonPrefix = Math.min(
          firstDifference < 0 ? ids.length : firstDifference,
          cache.length,
          ids.length - 1,
        );
        cache.crop(commonPrefix);
        tokens.splice(0, tokens.length, ...ids);
      } else {
        const encodeMessage = (first: boolean) =>
          tokenizer.encode((first ? "" : format.endOfMessage) + format.userMessage(user), {
            addSpecialTokens: first,
            bos: first,
          });
        let ids = encodeMessage(tokens.length === 0);
        if (tokens.length > 0 && tokens.length + ids.length > config.contextLength) {
          err.write(`the context of ${config.contextLength} tokens is full: the conversation starts again\n`);
          cache.reset();
          tokens.length = 0;
          ids = encodeMessage(true);
        }
        tokens.push(...ids);
      }
      let assistant = "";
      let generatedTokens = 0;
      const prompt = tokens.slice(cache.length);
      for await (const token of generate(model, prompt, {
        maxTokens: options.maxTokens,
        sampling,
        cache,
        stop,
        signal,
      })) {
        tokens.push(token.id);
        assistant += token.text;
        generatedTokens += 1;
        screen?.write(token.text);
      }
      screen?.write("\n");
      messages.push({ role: "assistant", content: assistant });
      exchanges.push({ user, assistant, generatedTokens });
      showPrompt();
    }
    if (interactive) err.write("\n"); // the prompt that Ctrl-D answered
    err.write(`${exchanges.length} exchanges, ${tokens.length} tokens of ${config.contextLength}\n`);
    return { exchanges };
  };
  await withJson(options.json, io, work, () => "");
}

/** Note for a model without a chat template. */
function missingTemplateNote(source: string, { token }: { token?: string }): string {
  return token === undefined
    ? `${source} has no chat template and no chat tokens: it was not trained to answer, and continues each line as a text`
    : `${source} has no chat template: messages are written as its token ${token} suggests`;
}

import { growingCache } from "@qkv/kv-cache";
import { generate } from "@qkv/transformer";
import type { Command } from "commander";
import type { ChatMessage } from "@qkv/tokenizer/chat";
import { chatFormat, turnEnds } from "../chat-format.js";
import type { Io } from "../io.js";
import { linesOf, withJson } from "../json-result.js";
import {
  embeddedModel,
  foundModel,
  modelHelp,
  openModel,
  withModelOptions,
  type ModelOptions,
} from "../open-model.js";
import { maxTokens, samplingOf, withSamplingOptions, type SamplingOptions } from "../sampling-options.js";
import { talkTemplate } from "../talk-template.js";

type Options = ModelOptions & SamplingOptions & { maxTokens: number; json?: true | string };
type Turn = { user: string; assistant: string; newTokens: number };

/** Adds `qkv chat`: a talk, a line a turn. What was said stays in the cache. */
export function addChat(program: Command, io: Io): void {
  const command = program
    .command("chat")
    .summary("talk with a model, a line a turn")
    .description("Reads lines from standard input and answers each; what was said is not read again.")
    .argument("[model]", `${modelHelp} (default: ${embeddedModel})`, embeddedModel)
    .option("--max-tokens <n>", "answer with at most this many tokens", maxTokens, 256);
  withSamplingOptions(withModelOptions(command))
    .option(
      "--json [file]",
      "write the talk as one JSON object to the file or, without one, alone to standard output",
    )
    .action((model: string, options: Options) => runChat(model, options, io));
}

async function runChat(source: string, options: Options, io: Io): Promise<void> {
  const { out, err, signal } = io;
  const screen = options.json === true ? undefined : out;
  const work = async (): Promise<{ turns: Turn[] }> => {
    const model = await openModel(source, options, io);
    const { tokenizer, config } = model;
    const template = await talkTemplate(await foundModel(source, { signal }));
    const format = chatFormat(tokenizer);
    const stop = template ? turnEnds(tokenizer) : format.stop.map((text) => tokenizer.id(text) ?? text);
    const talk: ChatMessage[] = [];
    const cache = growingCache({ numLayers: config.numLayers });
    const sampling = samplingOf(options);
    const said: number[] = [];
    const turns: Turn[] = [];
    if (!template) err.write(`${withoutTemplate(source, format)}\n`);
    const interactive = io.in.isTTY === true && err.isTTY === true;
    const ask = () => interactive && err.write("> ");
    if (interactive) err.write("Type a line and press Enter; Ctrl-C or Ctrl-D ends the talk.\n");
    ask();
    for await (const user of linesOf(io.in)) {
      if (user.trim() === "") {
        ask();
        continue;
      }
      talk.push({ role: "user", content: user });
      if (template) {
        const text = template.render(talk, { addGenerationPrompt: true });
        const ids = tokenizer.encode(text, { specialTokens: "allowed", addSpecialTokens: false });
        // A template may write earlier turns anew: what is the same stays in the cache, and one token at least is read.
        const differs = ids.findIndex((id, i) => id !== said[i]);
        const same = Math.min(differs < 0 ? ids.length : differs, cache.length, ids.length - 1);
        cache.crop(same);
        said.splice(0, said.length, ...ids);
      } else {
        const next = (first: boolean) =>
          tokenizer.encode((first ? "" : format.after) + format.turn(user), {
            addSpecialTokens: first,
            bos: first,
          });
        let ids = next(said.length === 0);
        if (said.length > 0 && said.length + ids.length > config.contextLength) {
          err.write(`the context of ${config.contextLength} tokens is full: the talk begins anew\n`);
          cache.reset();
          said.length = 0;
          ids = next(true);
        }
        said.push(...ids);
      }
      let assistant = "";
      let newTokens = 0;
      const prompt = said.slice(cache.length);
      for await (const token of generate(model, prompt, {
        maxTokens: options.maxTokens,
        sampling,
        cache,
        stop,
        signal,
      })) {
        said.push(token.id);
        assistant += token.text;
        newTokens += 1;
        screen?.write(token.text);
      }
      screen?.write("\n");
      talk.push({ role: "assistant", content: assistant });
      turns.push({ user, assistant, newTokens });
      ask();
    }
    if (interactive) err.write("\n"); // the prompt that Ctrl-D answered
    err.write(`${turns.length} turns, ${said.length} tokens of ${config.contextLength}\n`);
    return { turns };
  };
  await withJson(options.json, io, work, () => "");
}

/** How a model is spoken to that does not say so itself. */
function withoutTemplate(source: string, { token }: { token?: string }): string {
  return token === undefined
    ? `${source} has no chat template and no tokens of a talk: it was not trained to answer, and continues each line as a text`
    : `${source} has no chat template: messages are written as its token ${token} suggests`;
}

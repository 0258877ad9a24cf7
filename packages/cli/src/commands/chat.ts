import { growingCache } from "@qkv/kv-cache";
import { generate } from "@qkv/transformer";
import type { Command } from "commander";
import type { ChatMessage } from "@qkv/tokenizer/chat";
import { chatFormat, turnEnds } from "../chat-format.js";
import type { Io } from "../io.js";
import { linesOf, withJson } from "../json-result.js";
import { foundModel, modelHelp, openModel, withModelOptions, type ModelOptions } from "../open-model.js";
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
    .argument("<model>", modelHelp)
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
    for await (const user of linesOf(io.in)) {
      if (user.trim() === "") continue;
      talk.push({ role: "user", content: user });
      if (template) {
        const text = template.text(talk, { addGenerationPrompt: true });
        const ids = tokenizer.encode(text, { specialTokens: "allowed", addSpecialTokens: false });
        // A template may write earlier turns anew: what is the same stays in the cache, and one token at least is read.
        const differs = ids.findIndex((id, i) => id !== said[i]);
        const same = Math.min(differs < 0 ? ids.length : differs, cache.length, ids.length - 1);
        cache.crop(same);
        said.splice(0, said.length, ...ids);
      } else {
        const text = (turns.length === 0 ? "" : format.after) + format.turn(user);
        said.push(
          ...tokenizer.encode(text, { addSpecialTokens: turns.length === 0, bos: turns.length === 0 }),
        );
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
    }
    err.write(`${turns.length} turns, ${said.length} tokens of ${config.contextLength}\n`);
    return { turns };
  };
  await withJson(options.json, io, work, () => "");
}

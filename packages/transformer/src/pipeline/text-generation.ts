import { checks, type Checks } from "@qkv/core";
import type { Tokenizer } from "@qkv/tokenizer";
import type { ChatMessage } from "@qkv/tokenizer/chat";
import { readJson } from "../loading/read-json.js";
import type { Folder } from "../loading/folder.js";
import { readWhole, smallFiles } from "../loading/open-file.js";
import type { Model } from "../models/model.js";
import { continuations } from "./continuations.js";
import {
  generationDefaults,
  unsupportedGenerationOptions,
  generationNames,
  readGeneration,
  type GenerationOptions,
} from "./generation-options.js";
import { refuseUnsupported } from "./load-options.js";
import { refuseStreamer } from "./text-streamer.js";
import { requiredTokenizer } from "./texts-to-rows.js";

/** Call options of a {@link TextGenerationPipeline}, with the names of Transformers.js. */
export type TextGenerationOptions = GenerationOptions & {
  /** False: only the new text is returned. Default true. For chats, messages and answer are always returned. */
  return_full_text?: boolean;
  /** False: no special tokens are added. Default: those of the tokenizer's template. */
  add_special_tokens?: boolean;
  /** Tools for the chat template. Default: none. */
  tools?: readonly unknown[];
  /** Documents for the chat template. Default: none. */
  documents?: readonly unknown[];
  /** A Jinja chat template, or the name of one of the model's templates. Default: the model's template. */
  chat_template?: string;
  /** Further variables of the chat template, such as `{ enable_thinking: false }`. */
  tokenizer_encode_kwargs?: Readonly<Record<string, unknown>>;
};

/** A continuation of a text. */
export type GeneratedText = { generated_text: string };
/** A chat with the answer as its last message. */
export type GeneratedChat = { generated_text: ChatMessage[] };

/** Call signatures of a text generation pipeline: a list of results per text or chat. */
export type TextGenerationCall = {
  (text: string, options?: TextGenerationOptions): Promise<GeneratedText[]>;
  (texts: readonly string[], options?: TextGenerationOptions): Promise<GeneratedText[][]>;
  (chat: readonly ChatMessage[], options?: TextGenerationOptions): Promise<GeneratedChat[]>;
  (chats: readonly (readonly ChatMessage[])[], options?: TextGenerationOptions): Promise<GeneratedChat[][]>;
};

const names = [
  ...generationNames,
  "return_full_text",
  "add_special_tokens",
  "tools",
  "documents",
  "chat_template",
  "tokenizer_encode_kwargs",
] as const satisfies readonly (keyof TextGenerationOptions)[];

/** Prompt ids of one text, or of one chat with its messages. */
type Prompt = { ids: readonly number[]; chat: readonly ChatMessage[] | undefined };
/** Prompts of a call. `isBatch`: the call has a list. */
type PromptList = { prompts: Prompt[]; isBatch: boolean };

/** Creates the function of a text generation pipeline. */
export async function textGeneration(
  check: Checks<{ argument: string }>,
  model: Model,
  folder: Folder | undefined,
): Promise<TextGenerationCall> {
  const tokenizer = requiredTokenizer(check, model.tokenizer);
  const { template, generation } = await readSettings(check, folder);
  const defaults = generationDefaults(generation);
  const callCheck: Checks = checks('pipeline("text-generation")');

  const call = async (input: unknown, given?: TextGenerationOptions): Promise<unknown> => {
    refuseUnsupported(callCheck, given, unsupportedGenerationOptions, "a call of this pipeline");
    const options = callCheck.options(given, names);
    const { return_full_text = true } = options;
    callCheck.type({ return_full_text }, "boolean");
    const { prompts, isBatch } = await readInput(callCheck, tokenizer, input, options, template);
    const settings = readGeneration(callCheck, options, defaults);
    if (settings.streamer && prompts.length !== 1) refuseStreamer(callCheck, prompts.length);
    const { stopIds } = settings;
    const modelWithStopIds = stopIds ? { ...model, config: { ...model.config, stopIds } } : model;
    const sequences = await continuations(
      modelWithStopIds,
      prompts.map(({ ids }) => ids),
      settings,
    );
    const results = prompts.map(({ ids, chat }, i) =>
      sequences[i]!.map((generated) => {
        const fullText = tokenizer.decode([...ids, ...generated]);
        const newText = () => fullText.slice(tokenizer.decode(ids).length);
        if (chat) return { generated_text: [...chat, { role: "assistant", content: newText() }] };
        return { generated_text: return_full_text ? fullText : newText() };
      }),
    );
    return isBatch ? results : results[0];
  };
  return call as TextGenerationCall;
}

/** The prompts of a call: a text, a chat, or a list of either. */
async function readInput(
  check: Checks,
  tokenizer: Tokenizer,
  input: unknown,
  options: TextGenerationOptions,
  template: Readonly<Record<string, unknown>>,
): Promise<PromptList> {
  const isText = (value: unknown) => typeof value === "string";
  const isChat = (value: unknown) =>
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((message) => typeof (message as ChatMessage | null)?.role === "string");
  if (isText(input) || (Array.isArray(input) && input.every(isText))) {
    if (options.tokenizer_encode_kwargs !== undefined) refuseVariables(check, options);
    const { add_special_tokens: addSpecialTokens = true } = options;
    const prompts = [input].flat().map((text) => ({
      ids: tokenizer.encode(text as string, { addSpecialTokens }),
      chat: undefined,
    }));
    return { prompts, isBatch: Array.isArray(input) };
  }
  if (!isChat(input) && !(Array.isArray(input) && input.every(isChat))) {
    check.refuse({
      argument: "texts",
      received: input,
      expected: "a text, a list of texts, a chat, or a list of chats",
      fix: 'write a chat as its messages: [{ role: "user", content: "Hello" }].',
    });
  }
  const isBatch = !isChat(input);
  const chats = (isBatch ? input : [input]) as (readonly ChatMessage[])[];
  const render = await chatRenderer(check, options, template);
  return {
    isBatch,
    prompts: chats.map((chat) => ({
      chat,
      ids: tokenizer.encode(render(chat), { specialTokens: "allowed", addSpecialTokens: false }),
    })),
  };
}

/** Creates a function that formats chats with the template of the call or of the model. The Jinja interpreter is imported with the first chat. */
async function chatRenderer(
  check: Checks,
  { chat_template: callTemplate, tools, documents, tokenizer_encode_kwargs }: TextGenerationOptions,
  template: Readonly<Record<string, unknown>>,
): Promise<(chat: readonly ChatMessage[]) => string> {
  const { chatTemplate } = await import("@qkv/tokenizer/chat");
  const isJinja = callTemplate !== undefined && /\{[{%]/.test(callTemplate);
  const config = isJinja ? { ...template, chat_template: callTemplate } : template;
  if (config["chat_template"] === undefined) {
    check.refuse({
      argument: "texts",
      received: "a chat",
      expected: "a text: the model came without a chat template",
      fix: "give `chat_template` in Jinja, or take a model that was trained to chat.",
    });
  }
  const formatter = chatTemplate(config, callTemplate === undefined || isJinja ? {} : { name: callTemplate });
  const variables = { ...(documents && { documents }), ...tokenizer_encode_kwargs };
  return (chat) => formatter.render(chat, { addGenerationPrompt: true, ...(tools && { tools }), variables });
}

/** The chat template of a folder with its special tokens, and the defaults of generation. */
async function readSettings(
  check: Checks<{ argument: string }>,
  folder: Folder | undefined,
): Promise<{ template: Readonly<Record<string, unknown>>; generation: unknown }> {
  const find = (name: string) => folder?.find(name, smallFiles.configuration);
  const json = async (name: string) => {
    const file = await find(name);
    return file && (await readJson(file, check));
  };
  const [config, generation, jinja] = await Promise.all([
    json("tokenizer_config.json"),
    json("generation_config.json"),
    find("chat_template.jinja"),
  ]);
  const template = {
    ...(config as Record<string, unknown> | undefined),
    ...(jinja && { chat_template: new TextDecoder().decode(await readWhole(jinja)) }),
  };
  return { template, generation };
}

function refuseVariables(check: Checks, { tokenizer_encode_kwargs }: TextGenerationOptions): never {
  check.refuse({
    argument: "tokenizer_encode_kwargs",
    received: tokenizer_encode_kwargs,
    expected: "no such option of texts: it has the variables of a chat template",
    fix: "leave it out; `add_special_tokens` is an option of its own.",
  });
}

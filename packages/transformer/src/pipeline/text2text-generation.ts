import { checks, type Checks } from "@qkv/core";
import type { Tokenizer } from "@qkv/tokenizer";
import { readJson } from "../loading/read-json.js";
import type { Folder } from "../loading/folder.js";
import { smallFiles } from "../loading/open-file.js";
import type { EncoderDecoderModel } from "../models/model.js";
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
import { requiredTokenizer, textList } from "./texts-to-rows.js";

/** Call options of a {@link Text2TextGenerationPipeline}, with the names of Transformers.js. */
export type Text2TextGenerationOptions = GenerationOptions;

/** Call options of a {@link TranslationPipeline}. */
export type TranslationOptions = GenerationOptions & {
  /** The language of the text, as a token of the model (`eng_Latn`, `__en__`, `en_XX`). Default: the tokenizer's. */
  src_lang?: string;
  /** The target language, as a token of the model. Default: the model's own. */
  tgt_lang?: string;
};

/** Property name of the result, by task. */
const keys = {
  "text2text-generation": "generated_text",
  summarization: "summary_text",
  translation: "translation_text",
} as const;

/** A task of an encoder–decoder. */
export type Text2TextTask = keyof typeof keys;

/** A result of a task. */
export type WrittenText<Task extends Text2TextTask> = Record<(typeof keys)[Task], string>;

/** Call signatures of a text-to-text pipeline: one result per text, in a flat list. */
export type Text2TextCall<Task extends Text2TextTask> = (
  texts: string | readonly string[],
  options?: Task extends "translation" ? TranslationOptions : Text2TextGenerationOptions,
) => Promise<WrittenText<Task>[]>;

/** Creates the function of a text-to-text pipeline. */
export async function text2textGeneration<Task extends Text2TextTask>(
  check: Checks<{ argument: string }>,
  model: EncoderDecoderModel,
  folder: Folder | undefined,
  task: Task,
): Promise<Text2TextCall<Task>> {
  const tokenizer = requiredTokenizer(check, model.tokenizer);
  const config = await optionalJson(check, folder, "config.json");
  const taskConfig = taskSettings(config, task);
  // Older models have generation settings in `config.json`.
  const files = [config, taskConfig, await optionalJson(check, folder, "generation_config.json")];
  const defaults = Object.assign({}, ...files.map(fileDefaults)) as Partial<GenerationOptions>;
  const prefix = [taskConfig["prefix"], config["prefix"]].find((value) => typeof value === "string") ?? "";
  const callCheck: Checks = checks(`pipeline("${task}")`);
  const names: readonly (keyof TranslationOptions)[] =
    task === "translation" ? [...generationNames, "src_lang", "tgt_lang"] : generationNames;
  return async (texts, given) => {
    refuseUnsupported(callCheck, given, unsupportedGenerationOptions, "a call of this pipeline");
    const { src_lang, tgt_lang, ...options } = callCheck.options<TranslationOptions>(given, names);
    const prefixed = textList(callCheck, texts).map((text) => prefix + text);
    const language = src_lang === undefined ? undefined : languageId(callCheck, tokenizer, { src_lang });
    const sources = prefixed.map((text) => sourceIds(tokenizer, text, language));
    const settings = readGeneration(callCheck, options, defaults);
    const { stopIds, streamer } = settings;
    if (streamer && sources.length !== 1) refuseStreamer(callCheck, sources.length);
    const modelWithOptions = {
      ...model,
      config: {
        ...model.config,
        ...(stopIds && { stopIds }),
        ...(tgt_lang !== undefined && { forcedBosId: languageId(callCheck, tokenizer, { tgt_lang }) }),
      },
    };
    const sequences = await continuations(modelWithOptions, sources, settings);
    return sequences.flatMap((candidates) =>
      candidates.map((ids) => ({ [keys[task]]: tokenizer.decode(ids) }) as WrittenText<Task>),
    );
  };
}

type Settings = Readonly<Record<string, unknown>>;

async function optionalJson(
  check: Checks<{ argument: string }>,
  folder: Folder | undefined,
  name: string,
): Promise<Settings> {
  const file = await folder?.find(name, smallFiles.configuration);
  return file ? ((await readJson(file, check)) as Settings) : {};
}

/** `task_specific_params` of a configuration, as in T5. */
function taskSettings(config: Settings, task: Text2TextTask): Settings {
  const perTask = config["task_specific_params"] as Readonly<Record<string, Settings>> | null | undefined;
  return perTask?.[task] ?? {};
}

/** Defaults from a file, including `max_length`, which summarization models set. */
function fileDefaults(file: Settings): Partial<GenerationOptions> {
  const length = file["max_length"];
  return { ...generationDefaults(file), ...(typeof length === "number" && { max_length: length }) };
}

/** The token of a language. */
function languageId(check: Checks, tokenizer: Tokenizer, option: Readonly<Record<string, unknown>>): number {
  const [[argument, language]] = Object.entries(option) as [[string, unknown]];
  check.type({ [argument]: language }, "string");
  const id = tokenizer.id(language as string) ?? tokenizer.id(`__${String(language)}__`);
  if (id !== undefined) return id;
  return check.refuse({
    argument,
    received: language,
    expected: "the token of a language, which the tokenizer knows",
    fix: 'write it as the model has it: "fra_Latn" (NLLB), "fr" (M2M-100), "fr_XX" (mBART).',
  });
}

/** Ids of a source text with language tokens in place of the usual special tokens, except the end token. */
function sourceIds(tokenizer: Tokenizer, text: string, language: number | undefined): readonly number[] {
  const ids = tokenizer.encode(text);
  if (language === undefined) return ids;
  const plain = tokenizer.encode(text, { addSpecialTokens: false });
  const first = ids.findIndex((id) => id === plain[0]);
  const last = first + plain.length;
  return ids.map((id, i) => ((i < first || i >= last) && id !== tokenizer.eosId ? language : id));
}

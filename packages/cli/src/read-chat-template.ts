import { checks } from "@qkv/core";
import { findFile, readWhole, smallFiles } from "@qkv/core/byte-source";
import { chatTemplate, type ChatTemplate } from "@qkv/tokenizer/chat";
import { join } from "node:path";
import { ggufTemplate } from "./gguf-template.js";

/** The chat template of a model's folder or GGUF file; undefined if it has none. */
export async function readChatTemplate(folder: string | readonly File[]): Promise<ChatTemplate | undefined> {
  const config = await tokenizerConfig(folder);
  return config["chat_template"] === undefined ? undefined : chatTemplate(config);
}

/** The Jinja source of the template; if there are several, the default one. */
export async function readChatTemplateText(folder: string | readonly File[]): Promise<string | undefined> {
  const { chat_template: field } = await tokenizerConfig(folder);
  const templates = Array.isArray(field) ? (field as { name?: unknown; template?: unknown }[]) : [];
  const text = templates.find(({ name }) => name === "default")?.template ?? field;
  return typeof text === "string" ? text : undefined;
}

/** `chat_template.jinja` has only the template; special tokens are in `tokenizer_config.json`. */
async function tokenizerConfig(folder: string | readonly File[]): Promise<Record<string, unknown>> {
  if (typeof folder === "string" && folder.endsWith(".gguf")) return ggufTemplate(folder);
  const config = JSON.parse((await readTextFile(folder, "tokenizer_config.json")) ?? "{}") as Record<
    string,
    unknown
  >;
  const jinja = await readTextFile(folder, "chat_template.jinja");
  return jinja === undefined ? config : { ...config, chat_template: jinja };
}

/** A small text file of a model; undefined if there is none. */
export async function readTextFile(
  folder: string | readonly File[],
  name: string,
): Promise<string | undefined> {
  const inList = typeof folder === "string" ? undefined : folder.find((file) => file.name === name);
  const source = typeof folder === "string" ? join(folder, name) : inList;
  const file =
    source &&
    (await findFile(source, {
      ...smallFiles.configuration,
      check: checks("qkv", { argument: "model" }),
      ...(typeof folder === "string" && { within: folder }),
    }));
  return file && new TextDecoder().decode(await readWhole(file));
}

import { chatTemplate, type ChatTemplate } from "@qkv/tokenizer/chat";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** The chat template that a model's folder has, or undefined where it has none. */
export async function talkTemplate(folder: string | readonly File[]): Promise<ChatTemplate | undefined> {
  const config = JSON.parse((await textOf(folder, "tokenizer_config.json")) ?? "{}") as Record<
    string,
    unknown
  >;
  const own = await textOf(folder, "chat_template.jinja");
  // The file of its own has the template alone; the tokens that it names stand in the configuration.
  const described = own === undefined ? config : { ...config, chat_template: own };
  return described["chat_template"] === undefined ? undefined : chatTemplate(described);
}

/** A file of a model, as text; undefined where there is none. */
export async function textOf(folder: string | readonly File[], name: string): Promise<string | undefined> {
  if (typeof folder !== "string") return folder.find((file) => file.name === name)?.text();
  return readFile(join(folder, name), "utf8").catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT" || cause.code === "ENOTDIR") return undefined;
    throw cause;
  });
}

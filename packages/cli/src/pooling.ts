import { ArgumentError } from "@qkv/core";
import type { Pooling } from "@qkv/transformer";
import { readTextFile } from "./read-chat-template.js";

/** Poolings by their names. */
export const poolings: readonly Pooling[] = ["mean", "cls", "last"];

/** File in which sentence-transformers list the modules of a model. */
export const partsFile = "modules.json";

/** Path of the pooling configuration, by the text of `modules.json`, if there is one. */
export function poolingFile(parts: string | undefined): string {
  const list: unknown = JSON.parse(parts ?? "[]");
  const found = (Array.isArray(list) ? (list as { type?: unknown; path?: unknown }[]) : []).find(
    ({ type, path }) => String(type).endsWith(".Pooling") && /^[\w-]+$/.test(String(path)),
  );
  return `${found ? String(found.path) : "1_Pooling"}/config.json`;
}

const named: Readonly<Record<string, Pooling>> = {
  pooling_mode_mean_tokens: "mean",
  pooling_mode_cls_token: "cls",
  pooling_mode_lasttoken: "last",
};

/** Pooling that a model was trained with. Default: mean. */
export async function readPooling(folder: string | readonly File[]): Promise<Pooling> {
  const path = poolingFile(await readTextFile(folder, partsFile));
  const text = await readTextFile(folder, path);
  if (text === undefined) return "mean";
  const enabledModes = Object.entries(JSON.parse(text) as Record<string, unknown>).filter(
    ([name, value]) => name.startsWith("pooling_mode_") && value === true,
  );
  const known = enabledModes.length === 1 ? named[enabledModes[0]![0]] : undefined;
  if (known) return known;
  throw new ArgumentError({
    fn: "qkv",
    argument: "--pooling",
    received: enabledModes.map(([name]) => name).join(" and ") || undefined,
    expected: `one of ${Object.keys(named).join(", ")} in ${path}`,
    fix: `say which: --pooling ${poolings.join("|")}.`,
  });
}

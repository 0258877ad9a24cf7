import { ArgumentError } from "@qkv/core";
import type { Pooling } from "@qkv/transformer";
import { readTextFile } from "./read-chat-template.js";

/** Names of pooling modes. */
export const poolings: readonly Pooling[] = ["mean", "cls", "last"];

/** Configuration of pooling in a sentence-transformers folder. */
const file = "1_Pooling/config.json";

const poolingByField: Readonly<Record<string, Pooling>> = {
  pooling_mode_mean_tokens: "mean",
  pooling_mode_cls_token: "cls",
  pooling_mode_lasttoken: "last",
};

/** Reads the pooling that a model was trained with, from a folder without `modules.json`. Default: mean. */
export async function readPooling(folder: string | readonly File[]): Promise<Pooling> {
  const text = await readTextFile(folder, file);
  if (text === undefined) return "mean";
  const enabledModes = Object.entries(JSON.parse(text) as Record<string, unknown>).filter(
    ([name, value]) => name.startsWith("pooling_mode_") && value === true,
  );
  const known = enabledModes.length === 1 ? poolingByField[enabledModes[0]![0]] : undefined;
  if (known) return known;
  throw new ArgumentError({
    fn: "qkv",
    argument: "--pooling",
    received: enabledModes.map(([name]) => name).join(" and ") || undefined,
    expected: `one of ${Object.keys(poolingByField).join(", ")} in ${file}`,
    fix: `choose one: --pooling ${poolings.join("|")}.`,
  });
}

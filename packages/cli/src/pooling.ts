import { ArgumentError } from "@qkv/core";
import type { Pooling } from "@qkv/transformer";
import { readTextFile } from "./read-chat-template.js";

/** Poolings by their names. */
export const poolings: readonly Pooling[] = ["mean", "cls", "last"];

/** File of the pooling in a folder that lists no modules. */
const file = "1_Pooling/config.json";

const named: Readonly<Record<string, Pooling>> = {
  pooling_mode_mean_tokens: "mean",
  pooling_mode_cls_token: "cls",
  pooling_mode_lasttoken: "last",
};

/** Pooling that a model was trained with, of a folder without `modules.json`. Default: mean. */
export async function readPooling(folder: string | readonly File[]): Promise<Pooling> {
  const text = await readTextFile(folder, file);
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
    expected: `one of ${Object.keys(named).join(", ")} in ${file}`,
    fix: `say which: --pooling ${poolings.join("|")}.`,
  });
}

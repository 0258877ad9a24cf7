import { ArgumentError } from "@qkv/core";
import { reshape, slice, type Tensor } from "@qkv/tensor";
import { meanPooling } from "@qkv/transformer";
import { readTextFile } from "./read-chat-template.js";

/** Pooling of token embeddings: their mean, the first (`[CLS]`) or the last. */
export const poolings = ["mean", "cls", "last"] as const;
export type Pooling = (typeof poolings)[number];

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

/** Pools token embeddings `[1, T, C]` into one vector, `[1, C]`. */
export function pooled(rows: Tensor, pooling: Pooling): Tensor {
  if (pooling === "mean") return meanPooling(rows);
  const [B, , C] = rows.shape as [number, number, number];
  return reshape(pooling === "cls" ? slice(rows, 1, 0, 1) : slice(rows, 1, -1), [B, C]);
}

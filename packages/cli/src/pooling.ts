import { ArgumentError } from "@qkv/core";
import { reshape, slice, type Tensor } from "@qkv/tensor";
import { meanPooling } from "@qkv/transformer";
import { textOf } from "./talk-template.js";

/** Which rows of a text become its vector: all of them, the first or the last. */
export const poolings = ["mean", "cls", "last"] as const;
export type Pooling = (typeof poolings)[number];

/** Where sentence-transformers list the parts of a model. */
export const partsFile = "modules.json";

/** Where it is said how a model was trained to be pooled, by the text of its `modules.json`, if there is one. */
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

/** How a model was trained to be pooled. Default, where its folder does not say: mean. */
export async function poolingOf(folder: string | readonly File[]): Promise<Pooling> {
  const path = poolingFile(await textOf(folder, partsFile));
  const text = await textOf(folder, path);
  if (text === undefined) return "mean";
  const asked = Object.entries(JSON.parse(text) as Record<string, unknown>).filter(
    ([name, value]) => name.startsWith("pooling_mode_") && value === true,
  );
  const known = asked.length === 1 ? named[asked[0]![0]] : undefined;
  if (known) return known;
  throw new ArgumentError({
    fn: "qkv",
    argument: "--pooling",
    received: asked.map(([name]) => name).join(" and ") || undefined,
    expected: `one of ${Object.keys(named).join(", ")} in ${path}`,
    fix: `say which: --pooling ${poolings.join("|")}.`,
  });
}

/** Rows `[1, T, C]` of a text to its vector, `[1, C]`. */
export function pooled(rows: Tensor, pooling: Pooling): Tensor {
  if (pooling === "mean") return meanPooling(rows);
  const [B, , C] = rows.shape as [number, number, number];
  return reshape(pooling === "cls" ? slice(rows, 1, 0, 1) : slice(rows, 1, -1), [B, C]);
}

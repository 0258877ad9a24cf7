import { checks } from "@qkv/core";
import { isPicture } from "./picture.js";

/** A picture as text: its title, its description, and a row for each number. */
export type PictureTable = {
  title: string;
  description: string;
  rows: readonly { name: string; value: string }[];
};

/**
 * The numbers of a picture as a table, for screen readers and tests: one row for each tooltip.
 *
 * @param svg - A picture of this package.
 * @throws {ArgumentError} If it is no picture.
 *
 * @example
 * ```ts
 * import { bars, tableOf } from "@qkv/viz";
 *
 * const svg = bars({ data: [64, 8], shape: [2] }, { labels: ["MHA", "MQA"], unit: "MB" });
 * tableOf(svg).rows; // => [{ name: "MHA", value: "64 MB" }, { name: "MQA", value: "8 MB" }]
 * ```
 */
export function tableOf(svg: string): PictureTable {
  const fix = "give what a function of this package returned.";
  checks("tableOf").each({ svg }, isPicture, "a picture", fix);
  const [title = "", ...marks] = [...svg.matchAll(/<title>([^<]*)<\/title>/g)].map(([, text]) =>
    plain(text!),
  );
  const rows = marks.map((text) => {
    const at = text.lastIndexOf(": ");
    return at < 0 ? { name: text, value: "" } : { name: text.slice(0, at), value: text.slice(at + 2) };
  });
  return { title, description: plain(/<desc>([^<]*)<\/desc>/.exec(svg)?.[1] ?? ""), rows };
}

const letters: Record<string, string> = {
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&#39;": "'",
  "&amp;": "&",
};
const plain = (text: string) => text.replace(/&(?:lt|gt|quot|#39|amp);/g, (name) => letters[name]!);

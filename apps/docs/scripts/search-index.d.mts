import type { MarkdownPage } from "./markdown.mjs";

/** An index that lunr loads, and the documents that it finds. */
export type SearchIndex = { documents: { i: number; t: string; u: string; h?: string }[]; index: object };

export function searchIndex(list: readonly (MarkdownPage & { description?: string })[]): SearchIndex[];
export function searchedPages(): (MarkdownPage & { description?: string })[];

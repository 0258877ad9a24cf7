/** A page of the site as Markdown. `path`: "/learn/causal/". */
export type MarkdownPage = { path: string; title: string; markdown: string };

export function toMarkdown(source: string, root?: string): string;
export function markdownPages(api: Map<string, string>, root?: string): MarkdownPage[];
export function writtenApi(): Map<string, string>;
export function fullText(list: readonly MarkdownPage[], root?: string): string;

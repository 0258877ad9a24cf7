/** A code block of a text. `file:line` is the position of its first line. */
export type CodeBlock = { code: string; file: string; line: number };

/** The Markdown code blocks fenced as ```` ```ts ````, or another language, alone or followed by words (`ts live`). */
export function codeBlocks(markdown: string, file: string, firstLine = 1, language = "ts"): CodeBlock[] {
  const fenced = new RegExp(`^\`\`\`${language}\\b[^\\n]*\\n(.*?)^\`\`\`[ \\t]*$`, "gms");
  return [...markdown.matchAll(fenced)].map((match) => {
    const before = markdown.slice(0, match.index).split("\n").length;
    return { code: match[1] ?? "", file, line: firstLine + before };
  });
}

/**
 * The blocks under each `@example` of a TypeScript source's docstrings.
 *
 * @throws {Error} If an `@example` has none, since its code would be shown but never run.
 */
export function docstringBlocks(source: string, file: string): CodeBlock[] {
  return [...source.matchAll(/\/\*\*.*?\*\//gs)].flatMap((comment) => {
    const line = source.slice(0, comment.index).split("\n").length;
    // Each line keeps its position, so that line numbers stay correct.
    const text = comment[0].replace(/^[ \t]*(\/\*\*|\*\/|\* ?)/gm, "");
    return [...text.matchAll(/^@example\b.*?(?=^@[a-z]|$(?![\s\S]))/gms)].flatMap((tag) => {
      const tagLine = line + text.slice(0, tag.index).split("\n").length - 1;
      const blocks = codeBlocks(tag[0], file, tagLine);
      if (blocks.length === 0)
        throw new Error(`${file}:${tagLine}: this @example has no \`\`\`ts block to run.`);
      return blocks;
    });
  });
}

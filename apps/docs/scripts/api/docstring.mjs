// Converts docstrings to Markdown for MDX.
import ts from "typescript";
import { stabilities } from "./stability.mjs";

/**
 * Converts the docstrings of a name's declarations: the first paragraph of each, and the other parts by their kind.
 *
 * @param {readonly ts.Declaration[]} declarations
 * @param {(name: string) => string | undefined} addressOf - Address of a name in `{@link}`.
 * @returns {{ summary: string[], parts: Record<string, string> }} Blocks of Markdown. `parts`: by title, in order.
 */
export function writeDocstring(declarations, addressOf) {
  const docs = declarations.flatMap((each) => ts.getJSDocCommentsAndTags(each)).filter(ts.isJSDoc);
  const text = (comment) => prose(ts.getTextOfJSDocComment(comment) ?? "", addressOf);
  const summary = [];
  const parts = { parameters: [], notes: [], errors: [], source: [], example: [] };
  for (const doc of docs) {
    const [, first, rest] = /^([^]*?)(?:\n\n([^]*))?$/.exec(text(doc.comment));
    if (first) summary.push(first);
    if (rest) parts.notes.push(rest);
    for (const tag of doc.tags ?? []) {
      const comment = text(tag.comment).replace(/^-\s+/, "");
      if (ts.isJSDocParameterTag(tag)) parts.parameters.push(`- \`${tag.name.getText()}\`: ${comment}`);
      else if (ts.isJSDocReturnTag(tag)) parts.parameters.push(`- Returns: ${comment}`);
      else if (ts.isJSDocThrowsTag(tag)) {
        parts.errors.push(`- Throws \`${tag.typeExpression?.type.getText()}\`: ${comment}`);
      } else if (ts.isJSDocSeeTag(tag)) parts.source.push(`- Source: ${prose(asWritten(tag), addressOf)}`);
      else if (tag.tagName.text === "example")
        parts.example.push(ts.getTextOfJSDocComment(tag.comment).trim());
      else if (!(tag.tagName.text in stabilities)) parts.notes.push(`${tag.tagName.text}: ${comment}`);
    }
  }
  const { parameters, notes, errors, source, example } = parts;
  return {
    summary,
    parts: {
      parameters: listOf(parameters),
      notes: notes.join("\n\n"),
      errors: listOf(errors),
      source: listOf(source),
      example: example.join("\n\n"),
    },
  };
}

const listOf = (items) => items.map((item) => item.replaceAll("\n", "\n  ")).join("\n");

/** The text of a tag. TypeScript parses the first word after `@see` as a name, and drops it if it is none. */
const asWritten = (tag) =>
  tag
    .getText()
    .replace(/^@\w+\s+/, "")
    .replace(/\n *\* ?/g, "\n")
    .trim();

/** Escapes text for MDX, except code in backticks, and resolves links. */
function prose(text, addressOf) {
  const linked = text.trim().replace(/\{@link (\S+?)\}/g, (_whole, name) => {
    const address = addressOf(name);
    return address ? `[\`${name}\`](${address})` : `\`${name}\``;
  });
  return linked
    .split(/(```[^]*?```|`[^`]*`)/)
    .map((part, i) => (i % 2 === 1 ? part : part.replace(/[{}<]/g, "\\$&")))
    .join("");
}

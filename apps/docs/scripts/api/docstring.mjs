// A docstring as Markdown for MDX.
import ts from "typescript";

/**
 * Writes the docstrings of a name's declarations: what it does, its arguments and its result; notes, errors, sources and
 * examples are folded.
 *
 * @param {readonly ts.Declaration[]} declarations
 * @param {(name: string) => string | undefined} addressOf - Address of a name that `{@link}` speaks of.
 * @returns {string[]} Blocks of Markdown.
 */
export function writeDocstring(declarations, addressOf) {
  const docs = declarations.flatMap((each) => ts.getJSDocCommentsAndTags(each)).filter(ts.isJSDoc);
  const text = (comment) => prose(ts.getTextOfJSDocComment(comment) ?? "", addressOf);
  return docs.flatMap((doc) => {
    const [, first, rest] = /^([^]*?)(?:\n\n([^]*))?$/.exec(text(doc.comment));
    const parts = { notes: rest ? [rest] : [], errors: [], source: [], example: [] };
    const facts = [];
    for (const tag of doc.tags ?? []) {
      const comment = text(tag.comment).replace(/^-\s+/, "");
      if (ts.isJSDocParameterTag(tag)) facts.push(`\`${tag.name.getText()}\`: ${comment}`);
      else if (ts.isJSDocReturnTag(tag)) facts.push(`Returns: ${comment}`);
      else if (ts.isJSDocThrowsTag(tag)) {
        parts.errors.push(`- Throws \`${tag.typeExpression?.type.getText()}\`: ${comment}`);
      } else if (ts.isJSDocSeeTag(tag)) parts.source.push(`- Source: ${prose(asWritten(tag), addressOf)}`);
      else if (tag.tagName.text === "example")
        parts.example.push(ts.getTextOfJSDocComment(tag.comment).trim());
      else parts.notes.push(`${tag.tagName.text}: ${comment}`);
    }
    return [first, listOf(facts.map((each) => `- ${each}`)), folded(parts)].filter((block) => block !== "");
  });
}

/** A folded part, titled with the names of its sections: "Notes, errors, example". */
function folded({ notes, errors, source, example }) {
  const parts = { notes: notes.join("\n\n"), errors: listOf(errors), source: listOf(source) };
  const blocks = Object.entries({ ...parts, example: example.join("\n\n") }).filter(
    ([, block]) => block !== "",
  );
  if (blocks.length === 0) return "";
  const names = blocks.map(([name]) => name).join(", ");
  const title = names[0].toUpperCase() + names.slice(1);
  return `<Fold title="${title}">\n\n${blocks.map(([, block]) => block).join("\n\n")}\n\n</Fold>`;
}

const listOf = (items) => items.map((item) => item.replaceAll("\n", "\n  ")).join("\n");

/** The text of a tag: TypeScript reads the first word after `@see` as a name, and loses it if it is none. */
const asWritten = (tag) =>
  tag
    .getText()
    .replace(/^@\w+\s+/, "")
    .replace(/\n *\* ?/g, "\n")
    .trim();

/** Text in which MDX sees no code but what stands in backticks, and where links lead to pages. */
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

// A docstring as Markdown for MDX.
import ts from "typescript";

/**
 * Writes the docstrings of a name's declarations: what it does, its arguments, its result, its errors, its source, and
 * its examples.
 *
 * @param {readonly ts.Declaration[]} declarations
 * @param {(name: string) => string | undefined} addressOf - Address of a name that `{@link}` speaks of.
 * @returns {string[]} Blocks of Markdown.
 */
export function writeDocstring(declarations, addressOf) {
  const docs = declarations.flatMap((each) => ts.getJSDocCommentsAndTags(each)).filter(ts.isJSDoc);
  const text = (comment) => prose(ts.getTextOfJSDocComment(comment) ?? "", addressOf);
  return docs.flatMap((doc) => {
    const tags = doc.tags ?? [];
    const facts = tags.map((tag) => fact(tag, text)).filter((each) => each !== undefined);
    const examples = tags
      .filter(({ tagName }) => tagName.text === "example")
      .map(({ comment }) => (ts.getTextOfJSDocComment(comment) ?? "").trim());
    return [
      text(doc.comment),
      facts.map((each) => `- ${each.replaceAll("\n", "\n  ")}`).join("\n"),
      ...examples.map((example) => `<details>\n<summary>Example</summary>\n\n${example}\n\n</details>`),
    ].filter((block) => block !== "");
  });
}

/** One line of the list of facts, or undefined where a tag is none. */
function fact(tag, text) {
  const comment = text(tag.comment).replace(/^-\s+/, "");
  if (ts.isJSDocParameterTag(tag)) return `\`${tag.name.getText()}\`: ${comment}`;
  if (ts.isJSDocReturnTag(tag)) return `Returns: ${comment}`;
  if (ts.isJSDocThrowsTag(tag)) return `Throws \`${tag.typeExpression?.type.getText()}\`: ${comment}`;
  if (ts.isJSDocSeeTag(tag)) return `Source: ${comment}`;
  if (tag.tagName.text === "example") return undefined;
  return `${tag.tagName.text}: ${comment}`;
}

/** The first sentence, for a list of names. */
export const firstSentence = (declarations) => {
  const [doc] = declarations.flatMap((each) => ts.getJSDocCommentsAndTags(each)).filter(ts.isJSDoc);
  const text = ts.getTextOfJSDocComment(doc?.comment) ?? "";
  return /^[^]*?[.:](?=\s|$)/.exec(text)?.[0] ?? text;
};

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

/** Label of a token without the space before a word; white space by itself is drawn as a symbol. */
export function visibleToken(label: string): string {
  const inner = label.replace(/\n/g, "⏎").replace(/\t/g, "⇥");
  return inner.trim() === "" ? inner.replaceAll(" ", "␣") : inner.trim();
}

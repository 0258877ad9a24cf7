/** A token as a reader can see it: a space in front belongs to it and is not drawn. */
export function visible(token: string): string {
  const inner = token.replaceAll("\n", "⏎").replaceAll("\t", "⇥");
  const drawn = inner.replace(/\p{Cc}/gu, "�"); // a control character has no glyph
  return drawn.trim() === "" ? drawn.replaceAll(" ", "␣") : drawn.trim();
}

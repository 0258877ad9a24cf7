/** The visible text of a token, without its leading space. */
export function visible(token: string): string {
  const inner = token.replaceAll("\n", "⏎").replaceAll("\t", "⇥");
  const drawn = inner.replace(/\p{Cc}/gu, "�"); // a control character has no glyph
  return drawn.trim() === "" ? drawn.replaceAll(" ", "␣") : drawn.trim();
}

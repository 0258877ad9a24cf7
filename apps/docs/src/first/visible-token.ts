/** A token as a reader can see it: a space in front belongs to it and is not drawn. */
export function visible(token: string): string {
  const inner = token.replaceAll("\n", "⏎").replaceAll("\t", "⇥");
  // eslint-disable-next-line no-control-regex -- a control character has no glyph
  const drawn = inner.replace(/[\u0000-\u001f\u007f-\u009f]/g, "�");
  return drawn.trim() === "" ? drawn.replaceAll(" ", "␣") : drawn.trim();
}

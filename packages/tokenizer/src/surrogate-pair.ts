/** Tells an index between the two halves of a surrogate pair. Unit: UTF-16 units. */
export function isInsideSurrogatePair(text: string, at: number): boolean {
  const [before, behind] = [text.charCodeAt(at - 1), text.charCodeAt(at)];
  return before >= 0xd800 && before < 0xdc00 && behind >= 0xdc00 && behind < 0xe000;
}

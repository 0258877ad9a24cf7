/** True for an index between the two halves of a surrogate pair. Unit: UTF-16 units. */
export function isInsideSurrogatePair(text: string, at: number): boolean {
  const [before, after] = [text.charCodeAt(at - 1), text.charCodeAt(at)];
  return before >= 0xd800 && before < 0xdc00 && after >= 0xdc00 && after < 0xe000;
}

const utf8 = /* @__PURE__ */ new TextEncoder();

/**
 * The UTF-8 bytes of a text, as a string of one character for each, U+0000 to U+00FF. Such strings compare as their
 * bytes do. Most texts are ASCII and come back as they are.
 */
export function byteString(text: string): string {
  if (/^[\0-\x7f]*$/.test(text)) return text;
  let bytes = "";
  for (const byte of utf8.encode(text)) bytes += String.fromCharCode(byte);
  return bytes;
}

/** A reused buffer for the UTF-8 of substrings: a short pre-token allocates nothing. */
export class Utf8Scratch {
  bytes = new Uint8Array(256);

  /** Writes `text[start .. end)`, which has no lone surrogates, and returns its length in bytes. */
  write(text: string, start: number, end: number): number {
    if (3 * (end - start) > this.bytes.length) this.bytes = new Uint8Array(4 * (end - start));
    const bytes = this.bytes;
    let length = 0;
    for (let at = start; at < end; at++) {
      const unit = text.charCodeAt(at);
      if (unit < 0x80) {
        bytes[length++] = unit;
      } else if (unit < 0x800) {
        bytes[length++] = 0xc0 | (unit >> 6);
        bytes[length++] = 0x80 | (unit & 0x3f);
      } else if ((unit & 0xfc00) === 0xd800) {
        const code = 0x10000 + ((unit & 0x3ff) << 10) + (text.charCodeAt(++at) & 0x3ff);
        bytes[length++] = 0xf0 | (code >> 18);
        bytes[length++] = 0x80 | ((code >> 12) & 0x3f);
        bytes[length++] = 0x80 | ((code >> 6) & 0x3f);
        bytes[length++] = 0x80 | (code & 0x3f);
      } else {
        bytes[length++] = 0xe0 | (unit >> 12);
        bytes[length++] = 0x80 | ((unit >> 6) & 0x3f);
        bytes[length++] = 0x80 | (unit & 0x3f);
      }
    }
    return length;
  }
}

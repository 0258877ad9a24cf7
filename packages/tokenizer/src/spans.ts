/**
 * Converts widths in UTF-8 bytes to spans in UTF-16 units, as `text.slice` counts: calls `each` with the start and end
 * of each token. A token of part of a character spans the complete character.
 */
export function spansFromWidths(
  text: string,
  widths: readonly number[],
  each: (start: number, end: number) => void,
): void {
  let [start, startByte, byte] = [0, 0, 0]; // the character that holds `byte`, and where its bytes begin
  for (const width of widths) {
    for (let size = sizeAt(text, start); startByte + size <= byte && size > 0; size = sizeAt(text, start)) {
      startByte += size;
      start += size === 4 ? 2 : 1;
    }
    byte += width;
    let [end, endByte] = [start, startByte];
    while (endByte < byte && end < text.length) {
      const size = sizeAt(text, end);
      endByte += size;
      end += size === 4 ? 2 : 1;
    }
    each(start, end);
  }
}

/** UTF-8 length of the character at `at`; 0 after the text's end. */
function sizeAt(text: string, at: number): number {
  if (at >= text.length) return 0;
  const unit = text.charCodeAt(at);
  return unit < 0x80 ? 1 : unit < 0x800 ? 2 : (unit & 0xfc00) === 0xd800 ? 4 : 3;
}

/** Converts offsets in UTF-16 units to offsets in Unicode code points, in place. */
export function toCodePoints(text: string, offsets: number[]): void {
  const points = new Int32Array(text.length + 1); // characters before each unit
  for (let at = 0, count = 0; at < text.length; at++) {
    // The second half of a pair belongs to the character before it.
    const pair = (text.charCodeAt(at) & 0xfc00) === 0xd800 && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00;
    points[at] = count;
    if (pair) points[++at] = count;
    points[at + 1] = ++count;
  }
  offsets.forEach((offset, i) => (offsets[i] = points[offset]!));
}

/**
 * Removes the white space of tokens from their spans, in place: also `Ġ` of byte-to-unicode. Where the encoder itself puts
 * a space in front of the text, one stays with the first token, since it is no character of the text.
 */
export function trimSpans(tokens: readonly string[], spans: number[], addedSpace: boolean): void {
  tokens.forEach((token, i) => {
    let left = /^[Ġ\p{White_Space}]*/u.exec(token)![0].length;
    const right = left === token.length ? left : token.length - token.replace(trailingSpace, "").length;
    const [start, end] = [spans[2 * i]!, spans[2 * i + 1]!];
    if (left > 0 && addedSpace && (i === 0 || start === 0)) left -= 1;
    spans[2 * i] = Math.min(start + left, end);
    if (right > 0) spans[2 * i + 1] = Math.max(end - right, spans[2 * i]!);
  });
}

const trailingSpace = /[Ġ\p{White_Space}]+$/u;

import type { Span, TokenizationModel } from "./model.js";

/** An interval of a line. Unit: pixels. */
export type Stretch = { line: number; x: number; width: number };

/** Position of each byte, in lines. Lines break between words, and within words that are longer than a line. */
export type ByteSlots = {
  /** Width of a byte. Unit: pixels. */
  width: number;
  lines: readonly Span[];
  /** Intervals of a run of bytes, one in each of its lines. */
  stretches(span: Span): Stretch[];
  /** The widest of these intervals, where its text is written. */
  place(span: Span): Stretch;
};

const minWidth = 22;
const maxWidth = 34;

/** Divides a width among the bytes of a text: the minimum number of lines, and the maximum width of a byte in them. */
export function byteSlots(
  { bytes, words }: Pick<TokenizationModel, "bytes" | "words">,
  { x, width }: { x: number; width: number },
): ByteSlots {
  const pack = (slot: number) => packed(words, bytes.length, Math.max(1, Math.floor(width / slot)));
  const few = pack(minWidth).length;
  let slot = maxWidth;
  while (slot > minWidth && pack(slot).length > few) slot -= 0.5;
  const lines = pack(slot);
  const stretches = ({ start, end }: Span) =>
    lines.flatMap((line, i) => {
      const [from, to] = [Math.max(start, line.start), Math.min(end, line.end)];
      return from < to ? [{ line: i, x: x + (from - line.start) * slot, width: (to - from) * slot }] : [];
    });
  return {
    width: slot,
    lines,
    stretches,
    place: (span) => stretches(span).reduce((best, each) => (each.width > best.width ? each : best)),
  };
}

function packed(words: readonly number[], bytes: number, room: number): Span[] {
  const lines: Span[] = [];
  let start = 0;
  words.forEach((word, i) => {
    const end = words[i + 1] ?? bytes;
    if (word > start && end - start > room) {
      lines.push({ start, end: word });
      start = word;
    }
    for (; end - start > room; start += room) lines.push({ start, end: start + room });
  });
  return start < bytes || lines.length === 0 ? [...lines, { start, end: bytes }] : lines;
}

/**
 * Printable ASCII as token ids, one per character: its code minus 32. Three more tokens are start, end and
 * padding.
 *
 * @example
 * ```ts
 * import { ascii } from "@qkv/transformer/tasks";
 *
 * ascii.encode("3 May"); // => [19, 0, 45, 65, 89]
 * ascii.decode([19, 0, 45, 65, 89, ascii.endId, 1]); // => "3 May"
 * ```
 */
export const ascii = {
  vocabSize: 98,
  startId: 95,
  endId: 96,
  padId: 97,
  encode: (text: string): number[] => Array.from(text, (letter) => letter.charCodeAt(0) - 32),
  /** Decodes ids up to the end token. */
  decode(ids: readonly number[]): string {
    const end = ids.indexOf(96);
    return String.fromCharCode(...(end < 0 ? ids : ids.slice(0, end)).map((id) => id + 32));
  },
};

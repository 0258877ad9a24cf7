/** Bytes of a text, and functions that write ranges of them as text. */
export type BytePieces = {
  bytes: Uint8Array;
  /** Whole characters as text, other bytes in hexadecimal. */
  text(start: number, end: number): string;
  /** True for bytes that are not whole characters. */
  isPartialCharacter(start: number, end: number): boolean;
};

export function bytePieces(text: string): BytePieces {
  const bytes = new TextEncoder().encode(text);
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const decoded = (start: number, end: number) => {
    try {
      return decoder.decode(bytes.subarray(start, end));
    } catch {
      return undefined;
    }
  };
  return {
    bytes,
    text(start, end) {
      // Whole characters, and the bytes between them, if any. A character of 4 bytes is 2 UTF-16 units, a shorter one is 1.
      const parts: string[] = [];
      for (let at = start; at < end;) {
        const length = [4, 3, 2, 1].find(
          (n) => at + n <= end && decoded(at, at + n)?.length === (n === 4 ? 2 : 1),
        );
        parts.push(length === undefined ? ` ${hex(bytes[at]!)} ` : visibleText(decoded(at, at + length)!));
        at += length ?? 1;
      }
      return parts.join("").trim().replace(/ +/g, " ");
    },
    isPartialCharacter: (start, end) => decoded(start, end) === undefined,
  };
}

/** A byte as two hexadecimal digits. */
export const hex = (byte: number): string => byte.toString(16).toUpperCase().padStart(2, "0");

/** A text with visible spaces, and with code points in place of control characters. */
export const visibleText = (text: string): string =>
  text.replaceAll(" ", "␣").replace(/\p{Cc}/gu, (control) => hex(control.codePointAt(0)!));

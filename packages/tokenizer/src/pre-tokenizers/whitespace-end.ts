/**
 * The end of a run of white space, as the patterns of byte-level BPE cut it: `\s+(?!\S)|\s+`. The last character of
 * a run stays with the word after it, unless it is the whole run or the text ends.
 *
 * @param end - The end of the run that starts at `start`.
 */
export function whitespaceEnd(text: string, start: number, end: number): number {
  return end === text.length || end - start === 1 ? end : end - 1;
}

/** The end of `\s*[\r\n]+` at the start of a run of white space: after the run's last line break; -1 without one. */
export function lineBreakEnd(text: string, start: number, end: number): number {
  for (let at = end - 1; at >= start; at--) {
    const unit = text.charCodeAt(at);
    if (unit === 10 || unit === 13) return at + 1;
  }
  return -1;
}

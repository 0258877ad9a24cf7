/** A token that is found in the text before any algorithm sees it. */
export type AddedToken = {
  readonly id: number;
  readonly content: string;
  /** Whether it steers the model (`<s>`, `[CLS]`) and says nothing itself. Default: false. */
  readonly special?: boolean;
  /** Whether it is looked for after the text was normalized, and not before. Default: false. */
  readonly normalized?: boolean;
  /** Whether it counts only where no letter, mark, digit or `_` touches it. Default: false. */
  readonly singleWord?: boolean;
  /** Whether it takes the white space on its left. Default: false. */
  readonly lstrip?: boolean;
  /** Whether it takes the white space on its right. Default: false. */
  readonly rstrip?: boolean;
};

/** An added token in a text. `start` and `end` include the white space that it takes. */
export type FoundToken = { readonly start: number; readonly end: number; readonly token: AddedToken };

/** Finds added tokens in texts: the leftmost first; of those that begin together, the longest. */
export function addedTokenFinder(tokens: readonly AddedToken[]): (text: string) => readonly FoundToken[] {
  const byContent = new Map(tokens.map((token) => [token.content, token]));
  byContent.delete("");
  if (byContent.size === 0) return () => [];
  const known = prefixFinder([...byContent.keys()]);
  return (text) => {
    const found: FoundToken[] = [];
    let from = 0; // where the token before ended
    let next = 0; // where the match before ended
    for (const { index } of text.matchAll(known.starts)) {
      const content = index < next ? undefined : known.find(text, index);
      if (content === undefined) continue;
      next = index + content.length;
      const token = byContent.get(content)!;
      let [start, end] = [index, next];
      if (start < from) continue;
      if (token.singleWord && (word.test(lastOf(text, start)) || word.test(firstOf(text, end)))) continue;
      if (token.lstrip) while (start > from && space.test(text[start - 1]!)) start -= 1;
      if (token.rstrip) while (end < text.length && space.test(text[end]!)) end += 1;
      found.push({ start, end, token });
      from = end;
    }
    return found;
  };
}

/**
 * Finds the longest of some texts that stands at a place of another. A pattern of them all would do the same until they
 * are many or long: its code takes memory a hundred times that of the texts.
 */
function prefixFinder(texts: readonly string[]) {
  const sorted = [...texts].sort(); // by units, so that those that begin alike stand together, the shortest first
  const unitOf = (place: number, i: number) => {
    const unit = sorted[place]!.charCodeAt(i);
    return Number.isNaN(unit) ? -1 : unit;
  };
  /** The first place of `[low, high)` whose unit `i` is at least `unit`. */
  const firstFrom = (low: number, high: number, i: number, unit: number): number => {
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (unitOf(middle, i) < unit) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const firsts = new Set(sorted.map((text) => text.charCodeAt(0)));
  return {
    /** Where one of the texts may begin. */
    starts: new RegExp(
      `[${Array.from(firsts, (unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("")}]`,
      "g",
    ),
    find(text: string, at: number): string | undefined {
      if (insidePair(text, at)) return undefined;
      let [low, high] = [0, sorted.length];
      let longest: string | undefined;
      for (let i = 0; at + i < text.length; i++) {
        const unit = text.charCodeAt(at + i);
        // Where the first and the last go on alike, all between them do.
        if (unitOf(low, i) !== unit || unitOf(high - 1, i) !== unit) {
          low = firstFrom(low, high, i, unit);
          high = firstFrom(low, high, i, unit + 1);
          if (low === high) break;
        }
        if (sorted[low]!.length === i + 1 && !insidePair(text, at + i + 1)) longest = sorted[low];
      }
      return longest;
    },
  };
}

/** Whether a place is between the two halves of a character. */
function insidePair(text: string, at: number): boolean {
  const [before, behind] = [text.charCodeAt(at - 1), text.charCodeAt(at)];
  return before >= 0xd800 && before < 0xdc00 && behind >= 0xdc00 && behind < 0xe000;
}

const space = /\p{White_Space}/u;
const word = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u;
const lastOf = (text: string, end: number) => [...text.slice(Math.max(0, end - 2), end)].at(-1) ?? "";
const firstOf = (text: string, start: number) => [...text.slice(start, start + 2)][0] ?? "";

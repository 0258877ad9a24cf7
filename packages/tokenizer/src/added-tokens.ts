import { checks } from "@qkv/core";
import { checkList } from "./check-arguments.js";
import { longestMatches } from "./longest-matches.js";

/** A token that is matched in the text before the model encodes the rest. */
export type AddedToken = {
  readonly id: number;
  readonly content: string;
  /** Special token, which controls the model (`<s>`, `[CLS]`) and has no text. Default: false. */
  readonly special?: boolean;
  /** Matches normalized text instead of raw text. Default: false. */
  readonly normalized?: boolean;
  /** Matches whole words only: no letter, mark, digit or `_` beside it. Default: false. */
  readonly singleWord?: boolean;
  /** Strips and includes the white space on its left (`lstrip`). Default: false. */
  readonly lstrip?: boolean;
  /** Strips and includes the white space on its right (`rstrip`). Default: false. */
  readonly rstrip?: boolean;
};

/** An added token in a text. `start` and `end` include the white space that it strips. */
export type FoundToken = { readonly start: number; readonly end: number; readonly token: AddedToken };

/** Finds added tokens in texts: the leftmost first; of those that begin together, the longest. */
export function addedTokenFinder(tokens: readonly AddedToken[]): (text: string) => readonly FoundToken[] {
  checkList(
    checks("addedTokenFinder"),
    { tokens },
    isAddedToken,
    "a list of tokens with their `id` and `content`",
  );
  const byContent = [...new Map(tokens.map((token) => [token.content, token])).values()];
  const matches = longestMatches(byContent.map(({ content }) => content));
  return (text) => {
    const found: FoundToken[] = [];
    let previousEnd = 0; // end of the previous token, with its white space
    let matchEnd = 0; // end of the previous match
    const positionsAndIndices = matches(text); // alternating positions and indices in `byContent`, last position first
    for (let i = positionsAndIndices.length - 2; i >= 0; i -= 2) {
      const index = positionsAndIndices[i]!;
      if (index < matchEnd) continue;
      const token = byContent[positionsAndIndices[i + 1]!]!;
      matchEnd = index + token.content.length;
      let [start, end] = [index, matchEnd];
      if (start < previousEnd) continue;
      if (token.singleWord && (word.test(lastCharacter(text, start)) || word.test(firstCharacter(text, end))))
        continue;
      if (token.lstrip) while (start > previousEnd && space.test(text[start - 1]!)) start -= 1;
      if (token.rstrip) while (end < text.length && space.test(text[end]!)) end += 1;
      found.push({ start, end, token });
      previousEnd = end;
    }
    return found;
  };
}

/** True for a value with the required fields of an added token. */
export function isAddedToken(value: unknown): boolean {
  const token = value as AddedToken | undefined | null;
  return Number.isSafeInteger(token?.id) && typeof token?.content === "string";
}

const space = /\p{White_Space}/u;
const word = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u;
const lastCharacter = (text: string, end: number) => [...text.slice(Math.max(0, end - 2), end)].at(-1) ?? "";
const firstCharacter = (text: string, start: number) => [...text.slice(start, start + 2)][0] ?? "";

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

/** An added token in a text. `start` and `end` include the white space that it takes. */
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
    let from = 0; // end of the previous token
    let next = 0; // end of the previous match
    const places = matches(text); // alternating positions and numbers of contents, from the last position to the first
    for (let i = places.length - 2; i >= 0; i -= 2) {
      const index = places[i]!;
      if (index < next) continue;
      const token = byContent[places[i + 1]!]!;
      next = index + token.content.length;
      let [start, end] = [index, next];
      if (start < from) continue;
      if (token.singleWord && (word.test(lastCharacter(text, start)) || word.test(firstCharacter(text, end))))
        continue;
      if (token.lstrip) while (start > from && space.test(text[start - 1]!)) start -= 1;
      if (token.rstrip) while (end < text.length && space.test(text[end]!)) end += 1;
      found.push({ start, end, token });
      from = end;
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

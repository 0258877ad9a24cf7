import { checks } from "@qkv/core";
import { checkList } from "./check-arguments.js";
import { longestMatches } from "./longest-matches.js";

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
    let from = 0; // where the token before ended
    let next = 0; // where the match before ended
    const places = matches(text);
    for (let i = places.length - 2; i >= 0; i -= 2) {
      const index = places[i]!;
      if (index < next) continue;
      const token = byContent[places[i + 1]!]!;
      next = index + token.content.length;
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

/** Whether a value is an added token, as far as it needs be one. */
export function isAddedToken(value: unknown): boolean {
  const token = value as AddedToken | undefined | null;
  return Number.isSafeInteger(token?.id) && typeof token?.content === "string";
}

const space = /\p{White_Space}/u;
const word = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u;
const lastOf = (text: string, end: number) => [...text.slice(Math.max(0, end - 2), end)].at(-1) ?? "";
const firstOf = (text: string, start: number) => [...text.slice(start, start + 2)][0] ?? "";

import { addedTokenFinder } from "../added-tokens.js";
import type { Model } from "./model.js";
import { Utf8Scratch } from "./utf8-scratch.js";

/**
 * A model with SentencePiece's user-defined symbols: tokens that match wherever their text occurs and never merge with
 * their neighbours. The leftmost match wins; of those that begin together, the longest.
 */
export function withUserDefinedSymbols(
  model: Model,
  symbols: readonly { readonly id: number; readonly content: string }[],
): Model {
  if (symbols.length === 0) return model;
  const find = addedTokenFinder(symbols);
  const utf8 = new Utf8Scratch();
  return {
    ...model,
    append(text, start, end, ids, widths) {
      let at = start;
      for (const found of find(text.slice(start, end))) {
        const [from, to] = [start + found.start, start + found.end];
        if (at < from) model.append(text, at, from, ids, widths);
        ids.push(found.token.id);
        widths?.push(utf8.write(text, from, to));
        at = to;
      }
      if (at < end) model.append(text, at, end, ids, widths);
    },
  };
}

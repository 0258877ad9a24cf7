import { checks } from "@qkv/core";

/** The tokens of a vocabulary as in its file: by id, or each with its id. */
export type Vocabulary = readonly string[] | ReadonlyMap<string, number> | Readonly<Record<string, number>>;

/**
 * The tokens by id; a gap is undefined.
 *
 * @throws {ArgumentError} If an id is not an integer, two tokens have one id, or ids run far beyond the tokens.
 */
export function tokensById(vocabulary: Vocabulary, fn: string): readonly (string | undefined)[] {
  checks(fn).each(
    { vocab: vocabulary },
    (value) => (Array.isArray(value) ? value.every(isToken) : typeof value === "object" && value !== null),
    "the tokens: a list of texts, or each with its id",
    "give the `vocab` of a tokenizer.json, or a list in the order of the ids.",
  );
  if (Array.isArray(vocabulary)) return vocabulary as readonly string[];
  const entries =
    vocabulary instanceof Map ? [...(vocabulary as Map<string, number>)] : Object.entries(vocabulary);
  // Ids may have gaps, but a damaged file must not allocate memory for tokens that it does not contain.
  const limit = 4 * entries.length + 100_000;
  const tokens: (string | undefined)[] = [];
  for (const [token, id] of entries) {
    if (!Number.isInteger(id) || id < 0 || id > limit) {
      refuse(fn, token, id, `an integer, at most ${limit} for ${entries.length} tokens`);
    }
    if (tokens[id] !== undefined) {
      refuse(fn, token, id, `a unique id; ${JSON.stringify(tokens[id])} has the same`);
    }
    while (tokens.length < id) tokens.push(undefined);
    tokens[id] = token;
  }
  return tokens;
}

/** A vocabulary as in `tokenizer.json`. */
export function vocabularyJson(names: readonly (string | undefined)[]): Record<string, number> {
  return Object.fromEntries(names.flatMap((token, id) => (token === undefined ? [] : [[token, id]])));
}

const isToken = (value: unknown): boolean => value === undefined || typeof value === "string";

function refuse(fn: string, token: string, received: unknown, expected: string): never {
  return checks(fn).refuse({
    argument: `vocab[${JSON.stringify(token)}]`,
    received,
    expected,
    fix: "give each token its row in the model's embedding, counted from 0.",
  });
}

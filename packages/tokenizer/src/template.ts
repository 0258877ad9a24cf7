import { ArgumentError, checks } from "@qkv/core";

/** What stands around a text, or two: the fourth stage. `[CLS] A [SEP] B [SEP]`, with a type for each token. */
export type Template = {
  readonly single: readonly TemplateItem[];
  readonly pair: readonly TemplateItem[];
};

/** One place of a template: a text, or a token. */
export type TemplateItem =
  { readonly text: "A" | "B"; readonly type: number } | { readonly id: number; readonly type: number };

/**
 * A template from its writing.
 *
 * @param ids - The id of each token that the writing names.
 * @param single - Tokens and `$A`, separated by spaces, each with its type behind a colon; 0 without one.
 * @param pair - The same for two texts, `$A` and `$B`. Default: `$A $B:1`, with nothing around them.
 * @throws {ArgumentError} If a token has no id.
 *
 * @example
 * ```ts
 * import { template } from "@qkv/tokenizer";
 *
 * template({ "<s>": 1 }, "<s> $A").single; // => [{ id: 1, type: 0 }, { text: "A", type: 0 }]
 * ```
 */
export function template(ids: Readonly<Record<string, number>>, single: string, pair = "$A $B:1"): Template {
  const check = checks("template");
  check.each(
    { ids },
    (value) => typeof value === "object" && value !== null,
    "an object with the id of each token",
  );
  check.type({ single, pair }, "string");
  const items = (writing: string) =>
    writing
      .split(" ")
      .filter((word) => word !== "")
      .map((word): TemplateItem => {
        const [, name = word, number] = /^(.*?)(?::(\d+))?$/.exec(word) ?? [];
        const type = Number(number ?? 0);
        if (name === "$A" || name === "$B") return { text: name === "$A" ? "A" : "B", type };
        const id = Object.hasOwn(ids, name) ? ids[name] : undefined;
        if (id !== undefined) return { id, type };
        throw new ArgumentError({
          fn: "template",
          argument: "ids",
          received: ids,
          expected: `an id for ${JSON.stringify(name)}`,
          fix: "add the token's id, or take the token out of the template.",
        });
      });
  return { single: items(single), pair: items(pair) };
}

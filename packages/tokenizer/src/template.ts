import { ArgumentError, checks } from "@qkv/core";

/** Special tokens around one text or two, the fourth stage (`TemplateProcessing`): `[CLS] A [SEP] B [SEP]`, with a type id for each token. */
export type Template = {
  readonly single: readonly TemplateItem[];
  readonly pair: readonly TemplateItem[];
};

/** One item of a template: a sequence, or a special token. */
export type TemplateItem =
  | { readonly sequence: "A" | "B"; readonly typeId: number }
  | { readonly id: number; readonly typeId: number };

/**
 * Parses a template.
 *
 * @param ids - The id of each token in the template.
 * @param single - Tokens and `$A`, separated by spaces, each with its type id after a colon; 0 without one.
 * @param pair - The same for two texts, `$A` and `$B`. Default: `$A $B:1`, without special tokens.
 * @throws {ArgumentError} If a token has no id.
 *
 * @example
 * ```ts
 * import { template } from "@qkv/tokenizer";
 *
 * template({ "<s>": 1 }, "<s> $A").single; // => [{ id: 1, typeId: 0 }, { sequence: "A", typeId: 0 }]
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
  const items = (template: string) =>
    template
      .split(" ")
      .filter((word) => word !== "")
      .map((word): TemplateItem => {
        const [, name = word, number] = /^(.*?)(?::(\d+))?$/.exec(word) ?? [];
        const typeId = Number(number ?? 0);
        if (name === "$A" || name === "$B") return { sequence: name === "$A" ? "A" : "B", typeId };
        const id = Object.hasOwn(ids, name) ? ids[name] : undefined;
        if (id !== undefined) return { id, typeId };
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

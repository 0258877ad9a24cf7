import { defineRewrite, type Edit, type Rewrite } from "./rewrite.js";

/** Small letters, character by character, as Unicode maps them wherever they stand. */
export const lowercase: Rewrite = /* @__PURE__ */ byCharacter("lowercase", (character) =>
  character.toLowerCase(),
);

/** A rewrite that looks at one character at a time. */
export function byCharacter(name: string, change: (character: string) => string): Rewrite {
  return defineRewrite(name, function* (text) {
    let at = 0;
    for (const character of text) {
      const changed = change(character);
      const end = at + character.length;
      if (changed !== character) yield [at, end, changed] satisfies Edit;
      at = end;
    }
  });
}

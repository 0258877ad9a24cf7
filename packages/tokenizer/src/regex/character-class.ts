/** A parsed character class in JavaScript's syntax (flag u), and the index after it. */
export type ReadClass = { readonly source: string; readonly end: number };
type Fail = (expected: string) => never;

/**
 * Classes that Oniguruma and Rust define by Unicode and JavaScript does not: its `\s` lacks U+0085 and has U+FEFF, its
 * `\d` and `\w` know ASCII only.
 */
const shorthands: Readonly<Record<string, string>> = {
  s: "\\p{White_Space}",
  d: "\\p{Nd}",
  w: "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}",
  h: "0-9A-Fa-f",
};

const controls: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, f: 12, v: 11, a: 7, e: 27, 0: 0 };

const posix: Readonly<Record<string, string>> = {
  alpha: "\\p{Alphabetic}",
  digit: "\\p{Nd}",
  alnum: "\\p{Alphabetic}\\p{Nd}",
  upper: "\\p{Uppercase}",
  lower: "\\p{Lowercase}",
  space: "\\p{White_Space}",
  punct: "\\p{P}\\p{S}",
  cntrl: "\\p{Cc}",
  xdigit: "0-9A-Fa-f",
  word: "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}",
  blank: "\\p{Zs}\\t",
};

/** One character; without case sensitivity, all characters that are equal under Unicode case folding. */
export function literal(character: string, ignoreCase: boolean): string {
  const variants = ignoreCase ? caseVariants(character) : [character];
  return variants.length === 1 ? code(character) : `[${variants.map(code).join("")}]`;
}

/** `[...]` at `at`. */
export function characterClass(
  pattern: string,
  start: number,
  ignoreCase: boolean,
  fail: Fail,
  depth = 1,
): ReadClass {
  if (depth > 100) fail("at most 100 sets in each other");
  let at = start + 1;
  const negated = pattern[at] === "^";
  if (negated) at += 1;
  let body = "";
  let pending: string | undefined; // a single character that may begin a range
  const flush = () => {
    if (pending !== undefined) body += ignoreCase ? caseVariants(pending).map(code).join("") : code(pending);
    pending = undefined;
  };
  for (let first = true; ; first = false) {
    if (at >= pattern.length) return fail("the end of a set");
    const character = String.fromCodePoint(pattern.codePointAt(at)!);
    if (character === "]" && !first) break;
    if (pattern.startsWith("&&", at)) fail("no set intersection");
    const name = /^\[:(\^?)(\w+):\]/.exec(pattern.slice(at, at + 16));
    if (name) {
      const set = Object.hasOwn(posix, name[2]!) && name[1] === "" ? posix[name[2]!] : fail("a POSIX set");
      flush();
      body += set;
      at += name[0].length;
    } else if (character === "[") {
      const nested = characterClass(pattern, at, ignoreCase, fail, depth + 1);
      if (nested.source.startsWith("[^")) fail("no negated set in a set");
      flush();
      body += nested.source.slice(1, -1);
      at = nested.end;
    } else if (character === "-" && pending !== undefined && pattern[at + 1] !== "]") {
      at += 1;
      const last = single(pattern, at, fail);
      if (last === undefined) return fail("a character at the end of a range");
      const [from, to] = [pending.codePointAt(0)!, last.character.codePointAt(0)!];
      if (to < from) fail("a range that goes up");
      body += `${code(pending)}-${code(last.character)}`;
      if (ignoreCase) body += otherCases(from, to);
      pending = undefined;
      at = last.end;
    } else {
      const item = single(pattern, at, fail);
      flush();
      if (item) {
        pending = item.character;
        at = item.end;
      } else {
        const set =
          pattern[at + 1] === "p" || pattern[at + 1] === "P"
            ? propertyClass(pattern, at + 1, fail)
            : escapedClass(pattern, at + 1, false, fail);
        body += set.source.startsWith("[^")
          ? fail("no negated set in a set")
          : set.source.replace(/^\[([^]*)\]$/, "$1");
        at = set.end;
      }
    }
  }
  flush();
  return { source: `[${negated ? "^" : ""}${body}]`, end: at + 1 };
}

/** The class or character after a backslash: `at` is the index of the letter. */
export function escapedClass(pattern: string, at: number, ignoreCase: boolean, fail: Fail): ReadClass {
  const letter = pattern[at]!;
  const shorthand = Object.hasOwn(shorthands, letter) ? shorthands[letter]! : undefined;
  if (shorthand !== undefined)
    return {
      source: shorthand.startsWith("\\") && !shorthand.includes("}\\") ? shorthand : `[${shorthand}]`,
      end: at + 1,
    };
  const lower = letter.toLowerCase();
  if (Object.hasOwn(shorthands, lower) && letter !== lower) {
    const source =
      letter === "S" ? "\\P{White_Space}" : letter === "D" ? "\\P{Nd}" : `[^${shorthands[lower]!}]`;
    return { source, end: at + 1 };
  }
  const escaped = single(pattern, at - 1, fail) ?? fail(`no \\${letter}`);
  return { source: literal(escaped.character, ignoreCase), end: escaped.end };
}

/** `p{...}` at `at`, with the backslash before it. */
export function propertyClass(pattern: string, at: number, fail: Fail): ReadClass {
  const found =
    /^([pP])(?:\{(\^?)([\w =]+)\}|([A-Z]))/.exec(pattern.slice(at, at + 60)) ?? fail("a property in braces");
  const negative = (found[1] === "P") !== (found[2] === "^");
  const name = (found[3] ?? found[4]!).trim();
  const short = name.replace(/^Is_?/, "");
  for (const candidate of [
    name,
    `Script=${name}`,
    short,
    `Script=${short}`,
    posix[short.toLowerCase()]?.slice(3, -1) ?? name,
  ]) {
    const source = `\\${negative ? "P" : "p"}{${candidate}}`;
    if (isValid(source)) return { source, end: at + found[0].length };
  }
  return fail(`a property that Unicode has instead of ${JSON.stringify(name)}`);
}

/** A single character at `at`, escaped or not; undefined where a set begins. */
function single(pattern: string, at: number, fail: Fail): { character: string; end: number } | undefined {
  const character = String.fromCodePoint(pattern.codePointAt(at) ?? fail("a character"));
  if (character !== "\\") return { character, end: at + character.length };
  const rest = pattern.slice(at + 1, at + 12);
  const hex = /^(?:u\{([0-9a-fA-F]{1,6})\}|x\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2}))/.exec(
    rest,
  );
  if (hex) {
    const value = Number.parseInt(hex[1] ?? hex[2] ?? hex[3] ?? hex[4]!, 16);
    if (value > 0x10ffff) fail("a character of Unicode");
    return { character: String.fromCodePoint(value), end: at + 1 + hex[0].length };
  }
  const letter = String.fromCodePoint(rest.codePointAt(0) ?? fail("a character after the backslash"));
  const control = Object.hasOwn(controls, letter) ? controls[letter] : undefined;
  if (control !== undefined) return { character: String.fromCharCode(control), end: at + 2 };
  if (/[A-Za-z0-9]/.test(letter)) return undefined;
  return { character: letter, end: at + 1 + letter.length };
}

function isValid(source: string): boolean {
  try {
    return new RegExp(source, "u").source !== "";
  } catch {
    return false;
  }
}

const code = (character: string): string =>
  /^[A-Za-z0-9]$/.test(character) ? character : `\\u{${character.codePointAt(0)!.toString(16)}}`;

/** Characters that are equal under case folding. */
function caseVariants(character: string): string[] {
  const variants = [character, character.toLowerCase(), character.toUpperCase()];
  const folded = { s: "\u017F", k: "\u212A", å: "\u212B" }[character.toLowerCase()];
  return [...new Set([...variants, ...(folded ? [folded] : [])])].filter(
    (variant) => [...variant].length === 1,
  );
}

/** The other cases of a range, as far as it is short enough to be letters. */
function otherCases(from: number, to: number): string {
  if (to - from > 512) return "";
  const range = Array.from({ length: to - from + 1 }, (_, i) => String.fromCodePoint(from + i));
  return [...new Set(range.flatMap(caseVariants))]
    .filter((variant) => !range.includes(variant))
    .map(code)
    .join("");
}

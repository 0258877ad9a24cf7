/**
 * An over-approximation of a character class, as bits: one for each character of Latin-1, and one for each general category of
 * Unicode of all others. Sets whose bits have nothing in common have no character in common.
 */
export type SetBits = Int32Array;

/**
 * Reads a set in JavaScript's syntax, as `characterClass` writes it. For a property that is not a union of categories,
 * too many bits are set rather than too few.
 */
export function setBits(source: string): SetBits {
  const bits = new Int32Array(words);
  const latin1 = new RegExp(source, "u");
  for (let code = 0; code < 256; code++) if (latin1.test(String.fromCharCode(code))) set(bits, code);
  const mask = setCategories(source);
  for (let i = 0; i < categories.length; i++) if ((mask >> i) & 1) set(bits, 256 + i);
  return bits;
}

/** True if two sets may have a character in common. */
export function mayOverlap(a: SetBits, b: SetBits): boolean {
  return a.some((word, i) => (word & b[i]!) !== 0);
}

/** Categories as bits: those that have some of a set's characters outside of Latin-1, and those that have all. */
type Categories = { readonly some: number; readonly all: number };

function setCategories(source: string): number {
  const negated = source.startsWith("[^");
  let [some, all] = [0, 0];
  for (const [, letter, name, last, hex] of source.matchAll(items)) {
    if (letter !== undefined) {
      const found = property(name!);
      some |= letter === "p" ? found.some : everything & ~found.all;
      all |= letter === "p" ? found.all : everything & ~found.some;
    } else if (Number.parseInt(last ?? hex ?? "0", 16) > 255) {
      some = everything; // a character or a range may be of any category, and contains no whole category
    }
  }
  return negated ? everything & ~all : some;
}

/** `\p{…}`; or a character, or a range, whose last character is written in hexadecimal digits. */
const items = /\\([pP])\{([^}]+)\}|(?:\\u\{[0-9a-f]+\}|[^])-\\u\{([0-9a-f]+)\}|\\u\{([0-9a-f]+)\}/g;

const categories =
  /* @__PURE__ */ "Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Cs Co Cn".split(
    " ",
  );
/** 32-bit words: 8 for the 256 characters of Latin-1, and one for the 30 categories. */
const words = 9;
const everything = 0x3fff_ffff;

/** The categories with a prefix: `"L"` has five. */
const named = (...names: readonly string[]): number =>
  categories.reduce(
    (mask, name, i) => (names.some((prefix) => name.startsWith(prefix)) ? mask | (1 << i) : mask),
    0,
  );

function property(name: string): Categories {
  if (/^(?:[LMNPSZC]|L[ultmo]|M[nce]|N[dlo]|P[cdseifo]|S[mcko]|Z[slp]|C[cfson])$/.test(name)) {
    const exact = named(name);
    return { some: exact, all: exact };
  }
  switch (name) {
    case "White_Space":
      return { some: named("Z"), all: named("Z") };
    case "Alphabetic":
      return { some: named("L", "M", "Nl", "So"), all: named("L", "Nl") };
    case "Uppercase":
      return { some: named("L", "Nl", "So"), all: named("Lu") };
    case "Lowercase":
      return { some: named("L", "M", "Nl", "So"), all: named("Ll") };
    default:
      return { some: everything, all: 0 };
  }
}

const set = (bits: SetBits, bit: number) => {
  bits[bit >> 5]! |= 1 << (bit & 31);
};

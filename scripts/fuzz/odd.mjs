// Values that readers seldom expect, and JSON values similar to an example.
import fc from "fast-check";

const { structuredClone: copyOf } = globalThis;

/** Names with a meaning in JavaScript. */
const names = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "length",
  "hasOwnProperty",
  "",
  "0",
  "\0",
];

const numbers = [
  ...[0, -0, -1, 1, 2, 0.5, -0.5, 127, 128, 255, 65535, 65536, 1e6, 9_999_999, 1e9],
  ...[2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1, 2 ** 53, 1e15, 1e16, 1e308, 5e-324],
];

/**
 * Characters of one to four bytes, lone surrogates, combining marks, controls, and the syntax of JSON, paths and
 * regular expressions.
 */
const letters = [..."ab1 ./\\\"'{}[]()|*+?^$%#,:-_\0\n\t\u007f", ..."éßİ́中▁​�😀𝔸"];
const character = fc.constantFrom(...letters, "\ud800", "\udc00");

export const oddNumber = fc.oneof(fc.constantFrom(...numbers), fc.integer(), fc.double({ noNaN: true }));
export const oddText = fc.oneof(
  fc.constantFrom(...names),
  fc.constantFrom("a".repeat(40), "<s>", "▁", "\ud800", "a\nb", "../x", "[".repeat(200), " ", "😀"),
  fc.string({ unit: character, maxLength: 12 }),
);
const nested = (depth) => Array.from({ length: depth }).reduce((inner) => ({ a: [inner] }), 1);
export const odd = fc.oneof(
  oddNumber,
  oddText,
  fc.constantFrom(null, true, false, [], {}, [[]], [null], nested(8), nested(100)),
  fc.jsonValue({ maxDepth: 2 }),
);

/** Mostly the right value. */
export const mostly = (right, wrong = odd) =>
  fc.oneof({ arbitrary: right, weight: 19 }, { arbitrary: wrong, weight: 1 });

const edit = fc.record({
  at: fc.nat(),
  kind: fc.constantFrom("other", "other", "gone", "more", "twice", "moved"),
  name: fc.constantFrom(...names),
  value: odd,
  from: fc.nat(),
});

/** All arrays and objects in a value, with each of their keys. */
function places(root) {
  const found = [];
  const holders = [root];
  while (holders.length > 0) {
    const value = holders.pop();
    if (typeof value !== "object" || value === null) continue;
    for (const key of Object.keys(value)) {
      found.push({ in: value, key });
      holders.push(value[key]);
    }
  }
  return found;
}

/** `object[key] = value`, also where the key is `__proto__`. */
const put = (object, key, value) =>
  Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true });

function edited(root, { at, kind, name, value: given, from }) {
  const all = places(root);
  const value = copyOf(given);
  if (all.length === 0) return value;
  const { in: holder, key } = all[at % all.length];
  if (kind === "gone" && Array.isArray(holder)) holder.splice(Number(key), 1);
  else if (kind === "gone") Reflect.deleteProperty(holder, key);
  else if (kind === "twice" && Array.isArray(holder)) holder.push(copyOf(holder[key]));
  else if (kind === "moved") {
    const other = all[from % all.length];
    put(holder, key, copyOf(other.in[other.key]));
  } else if (kind === "more" && !Array.isArray(holder)) put(holder, name, value);
  else put(holder, key, value);
  return root;
}

/** JSON values generated from `examples`, changed in up to three places. */
export const near = (examples) =>
  fc
    .tuple(examples, fc.array(edit, { maxLength: 3 }))
    .map(([example, edits]) => edits.reduce(edited, copyOf(example)));

// Wrong arguments for any function. If a valid call is known, also that call with each argument replaced, swapped or
// misspelt.

const text = "no such thing";

/** An object that is not an options object, and an unknown option. */
const unknownOption = { noSuchOption: 1 };

/** Values for each parameter of a call. */
const everywhere = {
  null: null,
  text,
  "a number": -1.5,
  "a list": [null],
  "a promise": Promise.resolve(1),
  "an unknown option": unknownOption,
};

/** Values for one argument of an otherwise valid call. */
const instead = { null: null, text, NaN: NaN, "a list": [null], "a promise": Promise.resolve(1) };

/** True for a plain object: options, or a configuration. */
const isPlain = (value) =>
  typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;

/** The kind of an argument (tensor, list, function, number): arguments of one kind are swapped. */
const kindOf = (value) => (Array.isArray(value) ? "list" : value?.dtype ? "tensor" : typeof value);

/**
 * The wrong calls of a function.
 *
 * @param {Function} f
 * @param {unknown[] | undefined} right - The arguments of a valid call, if known.
 * @returns {[given: string, args: unknown[]][]}
 */
export function wrongCalls(f, right) {
  const places = Math.max(1, right?.length ?? f.length);
  const calls = [["nothing", []]];
  for (const [given, value] of Object.entries(everywhere)) calls.push([given, Array(places).fill(value)]);
  if (!right) return calls;
  right.forEach((own, i) => {
    const put = (given, value) =>
      calls.push([`${given} as argument ${i + 1}`, right.map((other, j) => (j === i ? value : other))]);
    for (const [given, value] of Object.entries(instead)) {
      if (right.length > 1 && !(given === "text" && typeof own === "string")) put(given, value);
    }
    if (i === right.findLastIndex(isPlain)) put("an unknown option", { ...own, ...unknownOption });
  });
  const kinds = right.map(kindOf);
  for (let i = 1; i < right.length; i++) {
    if (kinds[i] === kinds[i - 1]) continue;
    const swapped = [...right];
    [swapped[i - 1], swapped[i]] = [right[i], right[i - 1]];
    calls.push([`arguments ${i} and ${i + 1} swapped`, swapped]);
  }
  return calls;
}

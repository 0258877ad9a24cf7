// Mutants of controls, which read values older than the code, and of values as text.
export const near = ["src/page.test.ts", "src/value-text.test.ts"];

export const mutants = [
  {
    what: "a slider may stand beyond its end",
    file: "src/slider.ts",
    in: "slider",
    find: "Math.min(max, Math.max(min, $value))",
    replace: "Math.max(min, $value)",
  },
  {
    what: "a slider takes the value of a text field",
    file: "src/slider.ts",
    in: "slider",
    find: 'typeof moved === "number" ? moved : value',
    replace: "(moved as number) ?? value",
  },
  {
    what: "the page shows the first text of a field",
    file: "src/text-field.ts",
    in: "textField",
    find: "value: current",
    replace: "value: value",
  },
  {
    what: "an emptied text field shows its first text",
    file: "src/text-field.ts",
    in: "textField",
    find: 'typeof typed === "string" ? typed : value',
    replace: "(typed as string) || value",
  },
  {
    what: "a choice of a number comes back as text",
    file: "src/choice.ts",
    in: "choice",
    find: "options.find(($option) => optionText($option) === chosen) ?? initial",
    replace: "(chosen as T) ?? initial",
  },
  {
    what: "a list of exactly the longest length has a count",
    file: "src/value-text.ts",
    in: "listText",
    find: "count > items.length",
    replace: "count >= items.length",
  },
  {
    what: "a number has three digits",
    file: "src/value-text.ts",
    in: "numberText",
    find: "Math.max(6, $digits)",
    replace: "Math.max(3, $digits)",
  },
  {
    what: "minus zero loses its sign",
    file: "src/value-text.ts",
    in: "numberText",
    find: "Object.is(value, -0)",
    replace: "false",
  },
  {
    what: "an object that only has a shape counts as a tensor",
    file: "src/value-text.ts",
    in: "isTensor",
    find: '"shape" in value && Array.isArray($shape) && "dtype" in value && $prints',
    replace: '"shape" in value && Array.isArray($shape)',
  },
  {
    what: "small integers have separators in prose",
    file: "src/print.ts",
    find: "Math.abs($value) >= 10_000",
    replace: "Math.abs($value) >= 1_000",
  },
];

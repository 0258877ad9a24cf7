import type { JsonField } from "../json-field.js";

/** Maximum growth of a text: published files keep its length, or write a few characters for one. */
const maxGrowth = 32;

/** Maximum number of steps of a stage: published files have ten or so, and a text goes through each. */
const maxSteps = 100;

/**
 * Refuses a stage of very many steps, and replacements that together make a text much longer: nine steps with a factor of ten would
 * turn a word into gigabytes.
 *
 * @param field - `normalizer`, `pre_tokenizer` or `decoder`.
 */
export function checkGrowth(field: JsonField): void {
  if (countSteps(field) > maxSteps)
    field.fail(`at most ${maxSteps} steps`, "do not use this file: a vocabulary needs none that many.");
  if (growthFactor(field) > maxGrowth)
    field.fail(
      `replacements that make a text at most ${maxGrowth} times as long`,
      "do not use this file: a vocabulary needs none that long.",
    );
}

/** The factor by which a text can grow. Invalid steps are refused elsewhere. */
function growthFactor(field: JsonField): number {
  const { value } = field;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return 1;
  const length = (name: string, from = field) => {
    const { value: text } = from.get(name);
    return typeof text === "string" ? text.length : 0;
  };
  if (field.get("type").value === "Metaspace") return Math.max(1, length("replacement"));
  if (field.get("type").value === "Replace") {
    const pattern = field.get("pattern");
    const isObject =
      typeof pattern.value === "object" && pattern.value !== null && !Array.isArray(pattern.value);
    // An empty match inserts before, between and after all characters.
    const found = isObject ? length("String", pattern) : 0;
    return found > 0 ? Math.max(1, length("content") / found) : 1 + length("content");
  }
  return stepsIn(field).reduce((product, step) => product * growthFactor(step), 1);
}

const countSteps = (field: JsonField): number =>
  stepsIn(field).reduce((sum, step) => sum + countSteps(step), 1);

/** The steps of a `Sequence`. Invalid ones are refused elsewhere. */
function stepsIn(field: JsonField): JsonField[] {
  const { value } = field;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [];
  return ["normalizers", "pretokenizers", "decoders"].flatMap((name) =>
    Array.isArray(field.get(name).value) ? field.get(name).list() : [],
  );
}

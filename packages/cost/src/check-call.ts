import type { Checks, Named } from "@qkv/core";
import type { Formats } from "./formats.js";
import type { ModelShape, Reach } from "./model-shape.js";

/** Refuses a number that is not an integer, or below `min`. */
export function checkWhole(check: Checks, values: Named, min: number, unit: string): void {
  check.whole(values, { min, unit, fix: `count ${unit}.` });
}

/** Refuses a number that is not above 0. */
export function checkPositive(check: Checks, values: Named, unit: string): void {
  const isValid = (value: unknown) => Number.isFinite(value) && (value as number) > 0;
  check.each(values, isValid, `a number of ${unit} above 0`, `give it in ${unit}.`);
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Refuses a value that is not an object with these fields. */
export function checkFields(
  check: Checks,
  values: Named,
  fields: readonly string[],
  expected: string,
  fix: string,
): void {
  const isValid = (value: unknown) => isObject(value) && fields.every((field) => value[field] !== undefined);
  check.each(values, isValid, expected, fix);
}

/** Refuses a value that is not a model shape, such as a configuration. */
export function checkShape(check: Checks, shape: ModelShape): void {
  const fields = ["architecture", "embedDim", "vocabSize", "tokenDim", "norm", "output"];
  checkFields(
    check,
    { shape },
    fields,
    "the shape of a model",
    "read its config.json: `readConfig(config)`.",
  );
}

/** Refuses values that are not formats by use. */
export function checkFormats(check: Checks, formats: Partial<Formats> | undefined): void {
  const checked = check.options(formats, ["weights", "activations", "cache"], "formats");
  for (const [name, format] of Object.entries(checked)) checkFormat(check, { [`formats.${name}`]: format });
}

/** Refuses a value that is not a format. */
export function checkFormat(check: Checks, values: Named): void {
  const isValid = (format: unknown) =>
    format === undefined ||
    (isObject(format) &&
      Number.isFinite(format["bytesPerNumber"]) &&
      (format["bytesPerNumber"] as number) > 0);
  check.each(values, isValid, "a format", "take one of `formats`, or `quantized({ bits: 4 })`.");
}

/** Refuses a value that is not a reach. */
export function checkReach(check: Checks, reach: Reach): void {
  const fix = 'write { kind: "causal" } or { kind: "window", size: 4 }.';
  checkFields(check, { reach }, ["kind"], "an object that specifies the keys that a query sees", fix);
  check.oneOf({ "reach.kind": reach.kind }, ["all", "causal", "window", "chunk", "around"], fix);
  if (reach.kind === "all" || reach.kind === "causal") return;
  check.whole({ "reach.size": reach.size }, { min: reach.kind === "around" ? 0 : 1, unit: "tokens", fix });
}

/** Refuses a value that is not an array. */
export function checkList(check: Checks, values: Named, expected: string): void {
  check.each(values, Array.isArray, expected);
}

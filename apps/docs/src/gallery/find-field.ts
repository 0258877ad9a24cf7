/** Position of a field in the text of a configuration. */
export type FieldPlace = {
  /** Line number, from 1. */
  line: number;
  /** The surrounding lines, and the index of the field's line among them. */
  lines: readonly string[];
  index: number;
};

/**
 * Finds a field by its name in an error, such as `model_type` or `layer_types[3]`. Among several with the name, the one with
 * the refused value.
 *
 * @returns Undefined if the text has no such field.
 */
export function findField(text: string, argument: string, received: unknown): FieldPlace | undefined {
  const [, name, , element] = /^([\w-]+)(\.length)?(?:\[(\d+)\])?$/.exec(argument) ?? [];
  if (name === undefined) return undefined;
  const places = [...text.matchAll(new RegExp(`"${name}"\\s*:\\s*`, "g"))];
  if (places.length === 0) return undefined;
  const value = JSON.stringify(received) ?? "";
  const place =
    places.find(({ index, 0: key }) => value !== "" && text.startsWith(value, index + key.length)) ??
    places[0]!;
  let at = place.index;
  if (element !== undefined) {
    const list = at + place[0].length;
    const values = [...text.slice(list).matchAll(/"[^"]*"|\]/g)].slice(0, Number(element) + 1);
    const found = values.at(-1);
    if (found && found[0] !== "]") at = list + found.index;
  }
  const all = text.split("\n");
  const line = text.slice(0, at).split("\n").length;
  const from = Math.max(0, line - 3);
  return { line, lines: all.slice(from, line + 2), index: line - 1 - from };
}

/** A piece of SVG whose values are escaped. Only {@link svg} and {@link joinSvg} create it. */
export type Svg = InstanceType<typeof SvgText>;

/** Values in a template of {@link svg}: pieces, numbers, and text, which is escaped. */
type SvgValue = Svg | string | number | readonly SvgValue[];

class SvgText {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/**
 * A piece of SVG from a template literal. Text is escaped, for use between tags and in double-quoted attributes. The items of
 * a list are joined.
 */
export function svg(literals: TemplateStringsArray, ...values: readonly SvgValue[]): Svg {
  let text = literals[0]!;
  for (let i = 0; i < values.length; i++) text += written(values[i]!) + literals[i + 1]!;
  return new SvgText(text);
}

/** Joins pieces with a separator. Default: none. */
export function joinSvg(pieces: readonly Svg[], between: "" | "\n" = ""): Svg {
  return new SvgText(pieces.map(({ text }) => text).join(between));
}

function written(value: SvgValue): string {
  if (typeof value === "number") return String(value);
  if (value instanceof SvgText) return value.text;
  if (Array.isArray(value)) return value.map(written).join("");
  return escapeText(String(value));
}

const names: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** Escapes text for XML. Characters that XML does not allow become `�`. */
function escapeText(text: string): string {
  return text.replace(notXml, "\u{fffd}").replace(/[&<>"']/g, (character) => names[character] as string);
}

// Control characters other than tab and line ends, lone surrogates, and two non-characters: XML 1.0, section 2.2.
// eslint-disable-next-line no-control-regex
const notXml = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu;

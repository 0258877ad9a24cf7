/** A piece of SVG in which every value was escaped. Only {@link svg} and {@link joinSvg} make it. */
export type Svg = InstanceType<typeof SvgText>;

/** Values in a template of {@link svg}: pieces as they are, numbers, and text, which is escaped. */
type SvgValue = Svg | string | number | readonly SvgValue[];

class SvgText {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/**
 * The one way to write SVG: a template in which text is escaped wherever it stands, between tags or in an attribute in
 * double quotes. Lists are written one after the other.
 */
export function svg(literals: TemplateStringsArray, ...values: readonly SvgValue[]): Svg {
  let text = literals[0]!;
  for (let i = 0; i < values.length; i++) text += written(values[i]!) + literals[i + 1]!;
  return new SvgText(text);
}

/** Pieces with something between them, by default nothing. */
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

/** Text as it may stand in XML, between tags or in an attribute. What XML cannot hold at all becomes `�`. */
function escapeText(text: string): string {
  return text.replace(notXml, "\u{fffd}").replace(/[&<>"']/g, (character) => names[character] as string);
}

// Control characters other than tab and line ends, lone surrogates, and two non-characters: XML 1.0, section 2.2.
// eslint-disable-next-line no-control-regex
const notXml = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu;

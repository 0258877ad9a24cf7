import type { Mark } from "../mark.js";
import { textCell, textPlaces, textRows, tokenName } from "./layout.js";
import {
  sequenceName,
  tokensText,
  type CachedSequence,
  type CacheMoment,
  type CachesAtWorkModel,
  type StoredAs,
} from "./model.js";
import { glyphHeight, reusedStrength, tokenGlyph } from "./token-glyph.js";

/** Width of the name of a sequence, left of its row. Unit: pixels. */
const left = 26;

const form: Record<StoredAs, string> = {
  float32: "cached as float32",
  int8: "cached as int8",
  latent: "cached as a latent",
  state: "read into the state",
  evicted: "forgotten",
};

/**
 * Each sequence as a row of its tokens, in the form in which the cache has them.
 *
 * @param operation - Index of the last operation whose tokens are shown.
 * @param moment - The cache. Tokens that it does not hold yet have no stripes.
 */
export function conversationRows(
  model: CachesAtWorkModel,
  operation: number,
  moment: CacheMoment | undefined,
  lit: ReadonlySet<string>,
  width: number,
): { marks: Mark[]; height: number } {
  const places = textPlaces(model, left, width);
  const { tops, height } = textRows(model, places);
  const { lengths, sequence: active } = model.operations[Math.max(0, operation)]!;
  const marks: Mark[] = [];
  tops.forEach((top, sequence) => {
    const length = operation < 0 ? 0 : lengths[sequence]!;
    if (length === 0) return;
    const cached = moment?.sequences[sequence];
    const name = sequenceName(sequence);
    const isActive = sequence === active;
    marks.push({
      key: `row:${sequence}`,
      ...(sequence === 1 && { home: "row:0" }),
      kind: "circle",
      x: 10,
      y: top + glyphHeight / 2,
      radius: 9,
      fill: isActive ? "text" : "rule",
      text: name,
      textFill: isActive ? "paper" : "text",
      weight: 700,
      size: 12,
      ariaLabel: `${name}: ${sequenceSummary(cached, length)}`,
    });
    for (let position = 0; position < length; position++) {
      const place = places[position]!;
      const stored = cached?.stored[position];
      const cell = textCell(sequence, position);
      marks.push(
        ...tokenGlyph({
          key: cell,
          home: sequence === 1 ? textCell(0, position) : undefined,
          x: place.x,
          y: top + place.line * (glyphHeight + 2),
          width: place.width,
          text: model.texts[sequence]![position]!,
          stored,
          strength: cached && position < cached.reused ? reusedStrength : 1,
          isLit: lit.has(cell),
          ariaLabel: `${tokenName(model, sequence, position)}: ${stored ? form[stored] : "not in the cache"}`,
          cell,
        }),
      );
    }
  });
  return { marks, height };
}

/** "12 tokens, 6 forgotten". */
export function sequenceSummary(cached: CachedSequence | undefined, length: number): string {
  if (!cached) return `${tokensText(length)}, none cached`;
  const count = (form: StoredAs) => cached.stored.filter((each) => each === form).length;
  const parts = [
    tokensText(length),
    ...(count("evicted") > 0 ? [`${count("evicted")} forgotten`] : []),
    ...(count("int8") > 0 ? [`${count("int8")} rounded to int8`] : []),
    ...(cached.reused > 0 ? [`${cached.reused} reused`] : []),
    ...(cached.stored.length < length ? [`${length - cached.stored.length} refused`] : []),
  ];
  return parts.join(", ");
}

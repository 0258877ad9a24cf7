import { checks, type Checks } from "@qkv/core";
import { checkList, checkSizes, checkTexts } from "./check-data.js";
import { fill } from "./palette.js";
import { heading, picture, px } from "./picture.js";
import { joinSvg, svg, type Svg } from "./svg.js";

/** One row of {@link pieces}: a text that was split. */
export type PieceRow = {
  /** Written above the row, before the number of its pieces. */
  label: string;
  /** The pieces of the text, in order. */
  pieces: readonly string[];
  /** A note for the tooltip of each piece, such as `"id 262"`. Default: none. */
  notes?: readonly string[];
  /** Shade of each piece, from 0 to 1. Default: every other piece has a light shade, to separate neighbors. */
  shades?: readonly number[];
};

/** Options of {@link pieces}. */
export type PiecesOptions = {
  /** The name of the picture, drawn above it. */
  title?: string;
  /** Width at which rows wrap. Default: 560 pixels. */
  width?: number;
};

/**
 * Draws texts that were split into pieces, one below the other: words, tokens, bytes, patches. A space is drawn as `␣`,
 * a line feed as `⏎`, a tab as `⇥`; a piece holds its text and its note as an SVG `<title>`.
 *
 * @returns SVG text.
 * @throws {ArgumentError} If there is no row, notes or shades are too few or too many, or a shade is not from 0 to 1.
 *
 * @example
 * ```ts
 * import { pieces } from "@qkv/viz";
 *
 * const svg = pieces([
 *   { label: "words", pieces: ["the ", "cats"] },
 *   { label: "tokens", pieces: ["the", " cat", "s"], notes: ["id 5", "id 9", "id 2"] },
 * ]);
 * svg.includes("tokens: 3"); // => true
 * ```
 */
export function pieces(rows: readonly PieceRow[], options: PiecesOptions = {}): string {
  const check = checks("pieces");
  const { title, width = 560 } = check.options(options, ["title", "width"]);
  checkTexts(check, { title });
  checkSizes(check, { width });
  const some = (list: unknown) => Array.isArray(list) && list.length > 0;
  check.each({ rows }, some, "one row or more", "give [{ label, pieces }].");
  let y = title ? 40 : 12;
  let widest = title ? 24 + 7.5 * [...title].length : 0;
  const drawn: Svg[] = [];
  rows.forEach((row, at) => {
    checkRow(check, row, `rows[${at}]`);
    const name = `${row.label}: ${row.pieces.length}`;
    drawn.push(svg`<text x="${margin}" y="${y + 12}" ${fill("quiet")}>${name}</text>`);
    widest = Math.max(widest, 2 * margin + 6.6 * [...name].length);
    y += 20;
    let x = margin;
    row.pieces.forEach((piece, i) => {
      const text = visible(piece);
      const box = Math.max(8, textWidth(text) + 6);
      if (x > margin && x + box > width - margin) [x, y] = [margin, y + step];
      drawn.push(
        drawPiece(piece, text, {
          x,
          y,
          box,
          note: row.notes?.[i],
          shade: row.shades?.[i] ?? (i % 2 ? 0.7 : 0.2),
        }),
      );
      x += box + gap;
      widest = Math.max(widest, x - gap + margin);
    });
    y += (row.pieces.length > 0 ? step : 0) + 8;
  });
  const name = title ?? "Pieces";
  return picture({
    width: widest,
    height: y,
    title: name,
    description: `${rows.map(({ label, pieces }) => `${label}: ${pieces.map(visible).join(" | ")}`).join("; ")}.`,
    body: [...heading(title), ...drawn],
  });
}

type Place = { x: number; y: number; box: number; note: string | undefined; shade: number };

function drawPiece(piece: string, text: string, { x, y, box, note, shade }: Place): Svg {
  const tooltip = `${JSON.stringify(piece)}${note === undefined ? "" : `, ${note}`}`;
  return joinSvg([
    svg`<rect x="${px(x)}" y="${y}" width="${px(box)}" height="${step - 6}" rx="3" ${fill("weight")} fill-opacity="${px(shade * maxShade)}">`,
    svg`<title>${tooltip}</title></rect>`,
    svg`<text x="${px(x + box / 2)}" y="${y + 14}" text-anchor="middle" pointer-events="none" ${fill("text")}>${text}</text>`,
  ]);
}

const signs: Readonly<Record<string, string>> = { " ": "␣", "\n": "⏎", "\t": "⇥", "\r": "␍" };
const visible = (piece: string) => piece.replace(/[ \n\t\r]/g, (character) => signs[character]!);

/** Estimated width of a text: without a DOM, it cannot be measured. Chinese, Japanese, Korean and emoji count twice. */
function textWidth(text: string): number {
  let sum = 0;
  for (const character of text) sum += character.codePointAt(0)! < 0x2e80 ? 7 : 13;
  return sum;
}

function checkRow(check: Checks, row: PieceRow, at: string): void {
  const { label, pieces, notes, shades } = check.options(
    row ?? null,
    ["label", "pieces", "notes", "shades"],
    at,
  );
  check.type({ [`${at}.label`]: label }, "string");
  for (const [name, list] of Object.entries({ pieces, notes, shades })) {
    if (list === undefined && name !== "pieces") continue;
    checkList(check, `${at}.${name}`, list, `a list, one for each piece`);
    if (list.length !== pieces.length) {
      check.refuse({
        argument: `${at}.${name}`,
        received: `${list.length} ${name}`,
        expected: `${pieces.length}`,
        fix: "give one for each piece, or leave them out.",
      });
    }
    const texts = name !== "shades";
    const holds = (x: unknown) => (texts ? typeof x === "string" : typeof x === "number" && x >= 0 && x <= 1);
    const [expected, fix] = texts ? ["text"] : ["numbers from 0 to 1", "divide by the largest."];
    list.forEach((x) => check.each({ [`${at}.${name}`]: x }, holds, expected!, fix));
  }
}

const [margin, step, gap] = [12, 26, 2];

/** Shade of a piece from paper to ink: letters on it keep a contrast of 4.5:1 in both themes. */
export const maxShade = 0.45;

import { checks, type Checks } from "@qkv/core";
import { checkLabels, checkList, checkObject, checkTexts } from "./check-data.js";
import { fill, stroke } from "./palette.js";
import { heading, labelWidth, picture, px } from "./picture.js";
import { joinSvg, svg } from "./svg.js";

/** A page pool and the page tables of sequences: the fields of a paged cache. */
export type CachePages = {
  /** Pages of the pool. */
  readonly pages: number;
  /** Tokens of one page. */
  readonly pageLength: number;
  /** The pages of each sequence, in the order of its tokens. */
  readonly table: readonly (readonly number[])[];
  /** Tokens of each sequence. */
  readonly lengths: ArrayLike<number>;
};

export type CachePagesOptions = {
  /** One label for each sequence. Default: its number, from 0. */
  labels?: readonly string[];
  /** The tokens of each sequence, drawn if they fit into a cell. Default: none are drawn. */
  tokens?: readonly (readonly string[])[];
  /** Pages that a prefix cache keeps although no sequence uses them. Default: none. */
  remembered?: readonly number[];
  /** The name of the picture, drawn above it. */
  title?: string;
};

const [cell, gap, rowHeight] = [15, 8, 46]; // pixels

/**
 * Draws sequences in pages, and below them the page pool: the content of each page, shared pages and free pages. A shared
 * page has a thick edge and the number of its sequences.
 *
 * @param cache - A paged cache of `@qkv/kv-cache`, or an object with these fields.
 * @returns SVG text.
 * @throws {ArgumentError} If a page is not in the pool, or there is not one length, label and list of tokens a sequence.
 *
 * @example
 * ```ts
 * import { cachePages } from "@qkv/viz";
 *
 * const svg = cachePages({ pages: 4, pageLength: 2, table: [[0, 2], [0]], lengths: [3, 2] });
 * svg.includes("page 0, shared by 2: tokens 0 to 1 of 0"); // => true
 * ```
 */
export function cachePages(cache: CachePages, options: CachePagesOptions = {}): string {
  const check = checks("cachePages");
  const given = check.options(options, ["labels", "tokens", "remembered", "title"]);
  checkPages(check, cache, given);
  const { pages, pageLength, table, lengths } = cache;
  const { title, tokens, remembered = [] } = given;
  const labels = given.labels ?? table.map((_, b) => String(b));
  const holders = (page: number) => table.flatMap((own, b) => (own.includes(page) ? [b] : []));
  const pageWidth = pageLength * cell;
  const left = 12 + labelWidth(labels) + 12;
  const top = title ? 40 : 16;
  const widest = Math.max(0, ...table.map((own) => own.length));
  const perRow = Math.max(widest, Math.min(pages, Math.max(4, Math.floor(560 / (pageWidth + gap)))));
  const poolTop = top + table.length * rowHeight + 26;

  /** One page: its outline, its number above, and its slots. */
  const box = (
    x: number,
    y: number,
    page: number,
    filled: number,
    cells: (slot: number) => string,
    text: string,
  ) => {
    const owners = holders(page).length;
    const shared = owners > 1;
    const slots = Array.from({ length: pageLength }, (_, slot) => {
      const at = svg`x="${px(x + slot * cell + 1)}" y="${px(y + 1)}" width="${cell - 2}" height="${cell - 2}" rx="2"`;
      const letter = slot < filled ? cells(slot) : "";
      const drawn =
        letter && [...letter].length <= 2
          ? svg`<text x="${px(x + slot * cell + cell / 2)}" y="${px(y + 11)}" text-anchor="middle" font-size="10" ${fill("paper")}>${letter}</text>`
          : "";
      return svg`<rect ${at} ${slot < filled ? fill("key") : fill("rule")}/>${drawn}`;
    });
    return joinSvg([
      svg`<g><title>${text}</title>`,
      svg`<text x="${px(x)}" y="${px(y - 4)}" font-size="10" ${fill("quiet")}>${page}${shared ? ` ×${owners}` : ""}</text>`,
      svg`<rect x="${px(x - 1)}" y="${px(y - 1)}" width="${px(pageWidth + 2)}" height="${cell + 2}" rx="3" fill="none" stroke-width="${shared ? 2 : 1}" ${shared ? stroke("text") : stroke("hatch")}/>`,
      svg`${slots}</g>`,
    ]);
  };
  const filledSlots = (b: number, column: number) =>
    Math.max(0, Math.min(pageLength, lengths[b]! - column * pageLength));
  const pageText = (page: number) => {
    const owners = holders(page);
    if (owners.length === 0)
      return `page ${page}, ${remembered.includes(page) ? "remembered, used by none" : "free"}`;
    const b = owners[0]!;
    const column = table[b]!.indexOf(page);
    const first = column * pageLength;
    const shared = owners.length > 1 ? `, shared by ${owners.length}` : "";
    return `page ${page}${shared}: tokens ${first} to ${first + filledSlots(b, column) - 1} of ${labels[b]}`;
  };

  const rows = table.map((own, b) => {
    const y = top + b * rowHeight + 14;
    const boxes = own.map((page, column) =>
      box(
        left + column * (pageWidth + gap),
        y,
        page,
        filledSlots(b, column),
        (slot) => tokens?.[b]?.[column * pageLength + slot] ?? "",
        pageText(page),
      ),
    );
    return svg`<text x="12" y="${px(y + 12)}" ${fill("text")}>${labels[b]!}</text>${boxes}`;
  });
  const pool = Array.from({ length: pages }, (_, page) => {
    const b = holders(page)[0];
    const column = b === undefined ? 0 : table[b]!.indexOf(page);
    const filled = b === undefined ? (remembered.includes(page) ? pageLength : 0) : filledSlots(b, column);
    const letters = (slot: number) =>
      b === undefined ? "" : (tokens?.[b]?.[column * pageLength + slot] ?? "");
    const [x, y] = [
      left + (page % perRow) * (pageWidth + gap),
      poolTop + 24 + Math.floor(page / perRow) * 36,
    ];
    const drawn = box(x, y, page, filled, letters, pageText(page));
    return b === undefined && filled > 0 ? svg`<g opacity="0.45">${drawn}</g>` : drawn;
  });
  const used = Array.from({ length: pages }, (_, page) => page).filter((page) => holders(page).length > 0);
  const free = pages - used.length;
  return picture({
    width: Math.max(left + perRow * (pageWidth + gap) + 12, title ? labelWidth([title]) + 60 : 0),
    height: poolTop + 24 + Math.ceil(pages / perRow) * 36 + 6,
    title: title ?? "Pages of a cache",
    description: `${labels.map((label, b) => `${label}: pages ${table[b]!.join(", ") || "none"}, ${lengths[b]} tokens`).join("; ")}. ${used.length} of ${pages} pages used, ${free} not.`,
    body: [
      ...heading(title),
      ...rows,
      svg`<text x="12" y="${px(poolTop)}" ${fill("quiet")}>pool: ${used.length} of ${pages} pages used</text>`,
      ...pool,
    ],
  });
}

/** Limits that keep the SVG below a few megabytes. */
const [maxPages, maxSlots] = [10_000, 1024];

function checkPages(
  check: Checks,
  cache: CachePages,
  { labels, tokens, remembered, title }: CachePagesOptions,
): void {
  checkObject(check, { cache }, "a paged cache, or an object { pages, pageLength, table, lengths }");
  const { pages, pageLength, table, lengths } = cache;
  check.whole({ pages }, { min: 1, max: maxPages, unit: "pages" });
  check.whole({ pageLength }, { min: 1, max: maxSlots, unit: "tokens" });
  checkTexts(check, { title });
  const inPool = (page: unknown) =>
    Number.isInteger(page) && (page as number) >= 0 && (page as number) < pages;
  const expected = `pages from 0 to ${pages - 1}`;
  const checkEach = (argument: string, list: unknown) => {
    checkList(check, argument, list, "a list of pages");
    const fix = "give the table and the pool of one cache.";
    for (const page of list) check.each({ [argument]: page }, inPool, expected, fix);
  };
  checkList(check, "table", table, "a list with the pages of each sequence");
  for (const pages of table) checkEach("table", pages);
  if (remembered !== undefined) checkEach("remembered", remembered);
  checkObject(check, { lengths }, "a list with the tokens of each sequence");
  for (const [argument, list] of Object.entries({ lengths, labels, tokens })) {
    if (list === undefined) continue;
    if (argument !== "lengths") checkList(check, argument, list, "a list, one for each sequence");
    if (list.length === table.length) continue;
    check.refuse({
      argument,
      received: `${list.length} of them`,
      expected: `${table.length}`,
      fix: "give one for each sequence of the table.",
    });
  }
  for (const length of Array.from(lengths)) check.whole({ lengths: length }, { min: 0, unit: "tokens" });
  checkLabels(check, { labels }, table.length);
  tokens?.forEach((texts: unknown, b) => {
    checkList(check, `tokens[${b}]`, texts, "a list of texts");
    checkLabels(check, { [`tokens[${b}]`]: texts }, texts.length);
  });
}

/** The terms in order, each with its section. */
export function terms(): { section: string; term: string; meaning: string; names: string[] }[];
/** The page: front matter, the example, and a heading for each term, so that pages can link to it. */
export function glossaryPage(): string;

/** The figures of the site, each with its page. */
export const figures: readonly { name: string; path: string; step: string; end?: string }[];

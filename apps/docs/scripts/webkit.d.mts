/** Why WebKit cannot be started here, with the fix; undefined if it can. */
export const noWebKit: string | undefined;

/** A script to run in a page before its own: it collects the page's errors. */
export const collectErrors: string;

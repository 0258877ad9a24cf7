/** Where a Chromium is; undefined if none was found. */
export const chromiumPath: string | undefined;
export const chromiumArgs: string[];
export const noChromium: string;

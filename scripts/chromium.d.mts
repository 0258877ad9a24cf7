import type { Browser, LaunchOptions } from "playwright";

/** The path of a Chromium; undefined if none was found. */
export const chromiumPath: string | undefined;
export const chromiumArgs: string[];
export const noChromium: string;
/**
 * Opens Chromium, without a window; `args` come after {@link chromiumArgs}.
 *
 * @throws {Error} If there is none, with how to get one.
 */
export function openChromium(options?: LaunchOptions): Promise<Browser>;

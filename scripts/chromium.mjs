// Starts the installed Chromium, without background network traffic and with software rendering.
import { existsSync } from "node:fs";

export const chromiumPath = [
  process.env.CHROME_PATH,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
].find((path) => path && existsSync(path));

export const chromiumArgs = [
  "--no-sandbox",
  "--enable-unsafe-swiftshader",
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-quic",
  "--disable-sync",
  "--no-first-run",
];

export const noChromium =
  "No Chromium was found, so browser tests were left out. To run them: install Chromium or Chrome " +
  "(Debian: apt-get install chromium), or set CHROME_PATH.";

/** Opens Chromium, without a window. */
export async function openChromium({ args = [], ...options } = {}) {
  if (!chromiumPath) throw new Error(noChromium);
  const { chromium } = await import("playwright");
  return chromium.launch({ ...options, executablePath: chromiumPath, args: [...chromiumArgs, ...args] });
}

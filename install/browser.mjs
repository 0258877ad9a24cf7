// Chromium, and what serves a project's files to it.
import { openChromium } from "../scripts/chromium.mjs";
import { isolation, openServer, staticFiles } from "../scripts/server.mjs";

let running;

/**
 * Opens a page and waits for the line in which it says which problems its examples found.
 *
 * @param {string} url
 * @returns {Promise<string>} That line, or what went wrong before it.
 */
export async function openPage(url) {
  running ??= await openChromium();
  const page = await running.newPage();
  const said = [];
  try {
    return await new Promise((resolve) => {
      const end = (line) => {
        said.push(line);
        clearTimeout(slow);
        resolve(said.join("\n"));
      };
      const slow = setTimeout(() => end("The page did not end in five minutes."), 300_000);
      page.on("console", (message) => {
        const text = message.text();
        if (text.startsWith("problems: ")) end(text);
        else if (message.type() === "error") said.push(text);
      });
      page.on("response", (response) => {
        if (!response.ok()) said.push(`${response.status()} ${response.url()}`);
      });
      page.on("pageerror", ({ name, message, stack }) => end(`${name}: ${message}\n${stack}`));
      page.goto(url).catch((error) => end(error.message));
    });
  } finally {
    await page.close();
  }
}

export async function closeBrowser() {
  await running?.close();
}

/**
 * Serves a folder while `use(url)` runs, to isolated pages.
 *
 * @template T
 * @param {string} folder
 * @param {(url: string) => Promise<T>} use
 * @returns {Promise<T>}
 */
export async function serving(folder, use) {
  const server = await openServer(staticFiles(folder, { headers: isolation }));
  try {
    return await use(`${server.origin}/`);
  } finally {
    await server.close();
  }
}

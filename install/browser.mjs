// Chromium, and what serves a project's files to it.
import { join } from "node:path";
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

/**
 * Uses a page, in a context of its own.
 *
 * @param {string} url
 * @param {{ cdn?: string | undefined }} options - `cdn`: the folder of the package that jsDelivr gives.
 * @param {(page: import("playwright").Page) => Promise<void>} use
 * @throws {Error} If it fails, with the errors of the page.
 */
export async function withPage(url, { cdn }, use) {
  running ??= await openChromium();
  const context = await running.newContext();
  const problems = [];
  try {
    await context.route("https://cdn.jsdelivr.net/npm/**", (route) => {
      const [, file] = /^\/npm\/qkv@[\d.]+\/(.*)$/.exec(new URL(route.request().url()).pathname) ?? [];
      if (!cdn || !file) return route.abort();
      const headers = { "Access-Control-Allow-Origin": "*" };
      return route.fulfill({ path: join(cdn, file), contentType: "text/javascript", headers });
    });
    const page = await context.newPage();
    page.on("pageerror", (error) => problems.push(String(error)));
    page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
    page.setDefaultTimeout(120_000);
    await page.goto(url);
    await use(page).catch((error) => problems.push(error.message));
    if (problems.length > 0) throw new Error(problems.join("\n"));
  } finally {
    await context.close();
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

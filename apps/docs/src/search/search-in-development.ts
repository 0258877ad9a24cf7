import type { PluginModule } from "@docusaurus/types";
import { readdirSync, statSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { Worker } from "node:worker_threads";

type Middleware = (request: IncomingMessage, response: ServerResponse, next: () => void) => void;
type DevServer = { compiler: { hooks: { done: { tap(name: string, then: () => void): void } } } };

const folders = ["lessons", "guides", "reference", "proof"];

/** The time of the latest change of a page, and their number, which a removal changes. */
function stateOf(siteDir: string): string {
  const files = folders.flatMap((folder) =>
    readdirSync(join(siteDir, folder), { recursive: true, encoding: "utf8" })
      .filter((file) => /\.mdx?$/.test(file))
      .map((file) => join(siteDir, folder, file)),
  );
  return `${files.length} ${Math.max(...files.map((file) => statSync(file).mtimeMs))}`;
}

/** Makes the index as JSON in a worker thread, so that the server answers meanwhile. */
const makeIndex = (siteDir: string) =>
  new Promise<string>((resolve, reject) => {
    const worker = new Worker(join(siteDir, "scripts/search-index.mjs"), {
      execArgv: ["--disable-warning=MODULE_TYPELESS_PACKAGE_JSON"], // it imports a source of the site
    });
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.once("exit", () => reject(new Error("The worker that makes the index of the search has ended.")));
  });

/**
 * The search under `npm start`. Its index is made when the first build of the pages is done; a request waits for it, and the
 * search box shows that it loads. A later request, when a page has changed, waits for a new index.
 */
export const searchInDevelopment: PluginModule = ({ siteDir, baseUrl }) => {
  let latest: { state: string; json: Promise<string> } | undefined;
  function currentIndex(): Promise<string> {
    const state = stateOf(siteDir);
    if (latest?.state !== state) {
      const made = { state, json: makeIndex(siteDir) };
      latest = made;
      made.json.catch((error: unknown) => {
        console.error("The index of the search could not be made:", error);
        if (latest === made) latest = undefined; // the next request tries again
      });
    }
    return latest.json;
  }
  const answer: Middleware = (request, response, next) => {
    if (request.url?.split("?")[0] !== `${baseUrl}search-index.json`) return next();
    response.setHeader("Cache-Control", "no-store");
    currentIndex().then(
      (json) => response.setHeader("Content-Type", "application/json").end(json),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  };
  return {
    name: "search-in-development",
    configureWebpack(config, isServer) {
      if (config.mode !== "development" || isServer) return {};
      return {
        module: {
          rules: [
            {
              test: /docusaurus-search-local[\\/].*[\\/]searchByWorker\.js$/,
              loader: join(siteDir, "src/search/search-client-loader.mjs"),
            },
          ],
        },
        devServer: {
          setupMiddlewares(middlewares: Middleware[], devServer: DevServer) {
            // The error of an index that could not be made is printed above.
            devServer.compiler.hooks.done.tap("search", () => {
              if (latest === undefined) void currentIndex().catch(() => {});
            });
            // Before the one that answers unknown addresses with the page. Docusaurus has a `setupMiddlewares` too, with the
            // same array; the server uses its result and ours, one after the other.
            middlewares.unshift(answer);
            return [];
          },
        },
      };
    },
  };
};

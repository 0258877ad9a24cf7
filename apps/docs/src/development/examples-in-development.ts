import type { PluginModule } from "@docusaurus/types";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Examples } from "../../scripts/live/examples.mjs";

type Middleware = (request: IncomingMessage, response: ServerResponse, next: () => void) => void;

/**
 * Under `npm start`, what the build computes of an example is computed when a page asks for it:
 * `live/examples/NAME.json`, its code, its output, and the devices that it cannot run on.
 */
export const examplesInDevelopment: PluginModule = ({ baseUrl }) => {
  let opened: Promise<Examples> | undefined;
  /** Bundles again, because a source may have changed. */
  async function current(): Promise<Examples> {
    if (opened) await (await opened).refresh();
    opened ??= import("../../scripts/live/examples.mjs").then(({ openExamples }) => openExamples());
    return opened;
  }
  const answer: Middleware = (request, response, next) => {
    const path = request.url?.split("?")[0] ?? "";
    const name =
      path.startsWith(baseUrl) && /^live\/examples\/([\w-]+)\.json$/.exec(path.slice(baseUrl.length))?.[1];
    if (!name) return next();
    response.setHeader("Cache-Control", "no-store");
    current()
      .then((examples) => examples.runExample(name))
      .then(
        (made) => response.setHeader("Content-Type", "application/json").end(JSON.stringify(made)),
        (error: unknown) => response.writeHead(500).end(String(error)),
      );
  };
  return {
    name: "examples-in-development",
    configureWebpack(config, isServer): object {
      if (config.mode !== "development" || isServer) return {};
      return {
        devServer: {
          setupMiddlewares(middlewares: Middleware[]) {
            middlewares.unshift(answer); // as in search-in-development.ts
            return [];
          },
        },
      };
    },
  };
};

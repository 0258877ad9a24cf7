// The child process that runs examples: receives files with their checks, and sends back the problems of each.
import { inspect } from "node:util";
import { pathToFileURL } from "node:url";
import type { ExampleFile } from "./example.ts";
import { runExample } from "./run-example.ts";

const show = (value: unknown) => inspect(value, { breakLength: Infinity });

process.on("message", async (files: ExampleFile[]) => {
  const problems: string[][] = [];
  for (const { path, ...file } of files)
    problems.push(await runExample({ ...file, load: () => import(pathToFileURL(path).href) }, show));
  process.send?.(problems);
});

// The sources of a web application: the examples in a page, and in a Worker of a page.
import { nodeOnly, reportLine } from "./project.mjs";
import { isForVite } from "./readme.mjs";

/** Each page of the application, and the module that it begins with. */
export const pages = { page: "page.js", Worker: "starts-worker.js" };

/**
 * Whether a package is for pages at all, and which of its examples this kind of project runs.
 *
 * @param {import("./project.mjs").Project} project
 * @param {string} kind - As a line of the report names it.
 * @param {(what: string, reason: string) => void} leftOut
 * @returns {object[] | undefined}
 */
export function examplesForPages(project, kind, leftOut) {
  if (project.entries({ browser: true }).length === 0) {
    leftOut(kind, "a command has no page");
    return undefined;
  }
  return project.readme.examples.filter((example) => {
    const [only] = [...nodeOnly].filter((entry) => example.code.includes(`from "${entry}"`));
    if (only) {
      leftOut(`${kind}, the example at line ${example.line}`, `${only} is for Node`);
      return false;
    }
    if (kind === "Vite" || !isForVite(example)) return true;
    leftOut(`${kind}, the example at line ${example.line}`, "it imports addresses as Vite writes them");
    return false;
  });
}

/** Writes the examples, and beside them `page.js`, `worker.js` and `starts-worker.js`, with every entry for pages. */
export function writeSources(project, examples) {
  project.writeExamples(examples);
  const sources = importsOf(project.entries({ browser: true }));
  project.write("page.js", `${sources}problems().then((list) => ${reportLine});\n`);
  project.write("worker.js", `${sources}problems().then((list) => postMessage(list));\n`);
  project.write(
    "starts-worker.js",
    `const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
const said = (list) => ${reportLine};
worker.onmessage = ({ data }) => said(data);
worker.onerror = ({ message, filename, lineno }) => said([\`the worker: \${message} (\${filename}:\${lineno})\`]);
`,
  );
}

/** Imports that no bundler drops. */
export function importsOf(entries) {
  const imports = entries.map((entry, i) => `import * as entry${i} from ${JSON.stringify(entry)};\n`);
  const list = entries.map((_, i) => `entry${i}`);
  return `import { problems } from "./problems.js";\n${imports.join("")}globalThis.entries = [${list.join(", ")}];\n`;
}

/** A page that starts with a module. */
export function html(script, head = "") {
  return `<!doctype html>
<html lang="en">
  <head><meta charset="utf-8" /><title>User</title><link rel="icon" href="data:," />${head}</head>
  <body><script type="module" src="${script}"></script></body>
</html>
`;
}

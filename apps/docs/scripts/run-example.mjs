// Runs one bundled example in plain Node and writes what it showed, as JSON: `node run-example.mjs FILE`.
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const messages = [];
globalThis[Symbol.for("@qkv/page/host")] = { post: (message) => messages.push(message), values: {} };
for (const level of ["log", "warn", "error"]) {
  console[level] = (...values) => messages.push({ type: "text", text: values.map(String).join(" "), level });
}
await import(pathToFileURL(resolve(process.argv[2])).href);
process.stdout.write(JSON.stringify(messages));

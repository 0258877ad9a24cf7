// Runs a bundled example in plain Node and prints its messages, and the reasons why it cannot run on other devices, as
// JSON: `node run-example.mjs FILE SOURCE DEVICES`. DEVICES is the bundle of src/live/unfit-devices.ts.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [file, source, devices] = process.argv.slice(2).map((path) => pathToFileURL(resolve(path)));

/** Runs the example again, as a new module, and returns its messages. */
let runs = 0;
async function shown() {
  const messages = [];
  globalThis[Symbol.for("@qkv/page/host")] = { post: (message) => messages.push(message), values: {} };
  for (const level of ["log", "warn", "error"]) {
    console[level] = (...values) =>
      messages.push({ type: "text", text: values.map(String).join(" "), level });
  }
  await import(`${file.href}?${runs++}`);
  return messages;
}

const output = await shown();
const { unfitDevices } = await import(devices.href);
const code = readFileSync(source, "utf8");
process.stdout.write(JSON.stringify({ output, unfit: await unfitDevices(code, shown, output) }));

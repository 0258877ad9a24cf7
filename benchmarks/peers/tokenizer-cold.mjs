// A cold start in a process of its own: loads the library and the vocabulary, and encodes the text of stdin once.
// Prints milliseconds.
import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { open } from "./tokenizers.mjs";

const [name, vocabulary] = process.argv.slice(2);
const text = readFileSync(0, "utf8");
const start = performance.now();
const encode = await open[name](vocabulary);
const { length } = await encode(text);
process.stdout.write(JSON.stringify({ timeMs: performance.now() - start, length }));

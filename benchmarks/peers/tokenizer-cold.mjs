// One cold start in a process of its own: load the library and the vocabulary, encode a text once. Prints milliseconds.
import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { open } from "./tokenizers.mjs";

const [name, vocabulary, file] = process.argv.slice(2);
const text = readFileSync(file, "utf8").slice(0, 10_000);
const start = performance.now();
const encode = await open[name](vocabulary);
const { length } = await encode(text);
process.stdout.write(JSON.stringify({ timeMs: performance.now() - start, length }));

// Writes the page that follows `query` through the sources, from `attention` to each kernel and back:
// apps/docs/reference/path-of-a-call.md. --check only compares. Fails if a function of the table in call-path/hops.mjs is no
// longer called by an earlier one.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { parts } from "./call-path/hops.mjs";

const root = new URL("../", import.meta.url);
const page = new URL("apps/docs/reference/path-of-a-call.md", root);

/** @typedef {import("./call-path/hops.mjs").Hop} Hop */

const parsed = new Map();
function sourceFile(file) {
  if (!parsed.has(file))
    parsed.set(
      file,
      ts.createSourceFile(file, readFileSync(new URL(file, root), "utf8"), ts.ScriptTarget.Latest, true),
    );
  return parsed.get(file);
}

/** The first node inside `within`, in source order, that passes `test`. */
function findNode(within, test) {
  return ts.forEachChild(within, (child) => (test(child) ? child : findNode(child, test)));
}

/** The declaration of `fn`, a dotted path of names ("outer.inner"). Among overloads, the one with a body. */
function findDeclaration({ file, fn }) {
  return fn.split(".").reduce((within, part) => {
    const found = findNode(
      within,
      (node) =>
        node.name?.getText() === part &&
        (node.body || node.initializer || node.members) &&
        !ts.isParameter(node),
    );
    if (!found) throw new Error(`${file} has no ${part} of ${fn}: update it in scripts/call-path/hops.mjs`);
    return found;
  }, sourceFile(file));
}

/**
 * The calls of one function in another. An export of the WebAssembly binary is called by a string with its name:
 * `exports["matmul"]`.
 *
 * @param {Hop} caller
 * @param {Hop} called
 * @returns {ts.CallExpression[]}
 */
function findCalls(caller, { file, fn, calledAs = fn.split(".").at(-1) }) {
  const isExport = file.includes("/assembly/") && !caller.file.includes("/assembly/");
  const isNamed = (node) =>
    ts.isNonNullExpression(node)
      ? isNamed(node.expression)
      : isExport || ts.isStringLiteral(node)
        ? (node.argumentExpression ?? node).getText() === `"${calledAs}"`
        : (node.name ?? node).getText() === calledAs;
  const calls = [];
  const visit = (node) => {
    if (ts.isCallExpression(node) && [node.expression, ...node.arguments].some(isNamed)) calls.push(node);
    ts.forEachChild(node, visit);
  };
  visit(findDeclaration(caller));
  return calls;
}

/**
 * One hop as the page shows it: its line number, and the code lines that receive the query and pass it on.
 *
 * @param {Hop} hop
 * @param {Hop[]} later - The hops after this one. Lines that call them are included.
 */
function renderHop(hop, later) {
  const { file, fn, name, reads = [] } = hop;
  const source = sourceFile(file);
  const lines = source.text.split("\n");
  const lineOf = (at) => source.getLineAndCharacterOfPosition(at).line;
  const node = findDeclaration(hop);
  const [first, last] = [lineOf(node.name.getStart()), lineOf(node.end)];
  const head = node.body ? lineOf(node.body.getStart()) : first;
  if (!node.getText().includes(name)) throw new Error(`${fn} of ${file} has no ${name}`);
  const shown = new Set();
  for (let i = first; i <= head; i++) shown.add(i);
  for (const text of reads) {
    const before = shown.size;
    for (let i = head + 1; i <= last; i++) if (lines[i].trim().startsWith(text)) shown.add(i);
    if (shown.size === before) throw new Error(`${fn} of ${file} has no line that begins with: ${text}`);
  }
  for (const call of later.flatMap((called) => findCalls(hop, called))) {
    const [begin, end] = [lineOf(call.expression.end), lineOf(call.end)];
    for (let i = begin; i <= (end < begin + maxCallLines ? end : begin); i++) shown.add(i);
  }
  const sorted = [...shown].sort((a, b) => a - b);
  const indent = Math.min(...sorted.map((i) => lines[i].search(/\S/)));
  const code = sorted.flatMap((i, n) => [
    ...(n > 0 && i > sorted[n - 1] + 1 ? ["…"] : []),
    lines[i].slice(indent),
  ]);
  return { file, fn, name, line: first + 1, code: code.join("\n") };
}

/** Longest call, in lines, that is shown in full. Of longer calls, only the first line is. */
const maxCallLines = 10;

const partBefore = ({ after }) => parts.find(({ id }) => id === after);

/**
 * The hops of a part. Throws if no earlier hop of the path calls one of them.
 *
 * @param {(typeof parts)[number]} part
 */
export function hopsOf(part) {
  const path = [...(partBefore(part)?.hops ?? []), ...part.hops];
  path.slice(1).forEach((hop, i) => {
    if (path.slice(0, i + 1).some((caller) => findCalls(caller, hop).length > 0)) return;
    throw new Error(
      `no earlier function of the path calls ${hop.fn} of ${hop.file}: scripts/call-path/hops.mjs`,
    );
  });
  // If other parts continue this one, its last hop includes the calls of their first hops.
  const next = parts.filter(({ after }) => after === part.id).map(({ hops }) => hops[0]);
  return part.hops.map((hop, i) => renderHop(hop, [...part.hops.slice(i + 1), ...next]));
}

/** The page, as text. Code that an earlier part has shown is replaced by a reference to it. */
export function callPathPage() {
  const shownAt = new Map();
  const sections = parts.map((part) => {
    const before = partBefore(part);
    const hops = hopsOf(part).map(({ file, fn, name, line, code }, i) => {
      const link = `[${file}:${line}](https://github.com/qkv-js/qkv/blob/main/${file}#L${line})`;
      const nth = i + 1 + (before?.hops.length ?? 0);
      const earlier = shownAt.get(code);
      if (!earlier) shownAt.set(code, `${nth} of "${part.title}"`);
      const hop = `${nth}. \`${fn}\`, ${link}. Name: \`${name}\`.`;
      if (earlier) return `${hop} Same as ${earlier}.\n`;
      const fenced = ["```ts", ...code.split("\n"), "```"].map((text) => `    ${text}\n`);
      return `${hop}\n\n${fenced.join("")}`;
    });
    const continues = before ? `Continues after ${before.hops.length} of "${before.title}". ` : "";
    return `## ${part.title}\n\n${continues}${part.about}\n\n${hops.join("\n")}`;
  });
  return `---
# Written by scripts/call-path.mjs from the sources.
title: The path of a call
description: The functions that a call of attention runs through on each device, forward and backward, with links to the source.
---

This page lists the functions between \`attention(query, key, value)\` and the kernel of each device, and those of the backward pass. For each function it shows a link to the source, the name of the query in it (in the backward pass, the name of the query or its gradient), and the lines that receive and pass on the query; "…" marks omitted lines. \`npm run call-path\` generates the page from the sources, and fails if a function is no longer called by an earlier one.

${sections.join("\n")}`;
}

/** The page as it is checked in. */
export function readPage() {
  return readFileSync(page, "utf8");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = callPathPage();
  if (!process.argv.includes("--check")) writeFileSync(page, text);
  else if (readPage() !== text) {
    console.error("the path of a call has changed: run npm run call-path, and commit what it writes");
    process.exitCode = 1;
  }
}

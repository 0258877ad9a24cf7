// Calls every function of the published packages with wrong arguments, and writes their error messages to the
// reference: apps/docs/reference/refusals. --check only compares. Needs built packages.
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath, pathToFileURL } from "node:url";
import { publicPackages } from "./packages.mjs";
import { forPackages, legal, pending } from "./refusals/legal.mjs";

const probe = fileURLToPath(new URL("refusals/probe.mjs", import.meta.url));
const folder = fileURLToPath(new URL("../apps/docs/reference/refusals/", import.meta.url));

/** Limits of time and memory within which a call must throw. Units: milliseconds, MiB. */
const mostMs = 1000;
const mostMib = 64;

/** The longest message, with its fix. Unit: characters. */
const mostCharacters = 600;

/**
 * A call with wrong arguments, and its outcome. `ended`: it ended the process, with these last lines of stderr.
 *
 * @typedef {{ entry: string, fn: string, given: string, returned?: true, late?: true, ended?: string, ms: number,
 *   mib: number, error?: { name: string, message: string, typed: boolean, fn?: string, argument?: string,
 *   expected?: string, fix?: string } }} Call
 */

/**
 * Calls every function of a built package with wrong arguments.
 *
 * @param {string} name
 * @returns {Promise<Call[]>}
 */
export async function callWrongly(name) {
  const child = spawn(process.execPath, ["--max-old-space-size=1024", probe, name]);
  let [began, done, lastWords] = [undefined, false, ""];
  const found = [];
  child.stderr.on("data", (text) => (lastWords += text));
  for await (const line of createInterface({ input: child.stdout })) {
    const { begins, done: last, ...call } = JSON.parse(line);
    if (last) done = true;
    else if (begins) began = call;
    else found.push(call);
  }
  if (!done) found.push({ ...began, ended: lastWords.trim().slice(-500) });
  return found;
}

/** @returns {Promise<Call[]>} The calls of all published packages. */
export async function callAllWrongly() {
  const lists = [];
  for (const { name } of publicPackages()) lists.push(await callWrongly(name));
  return lists.flat();
}

/**
 * Returns the problem with a call's outcome, unless it threw an error that names the function and the fix.
 *
 * @param {Call} call
 * @returns {string | undefined}
 */
export function problemOf({ fn, returned, late, ended, error, ms, mib }) {
  if (ended !== undefined) return `ended the process: ${ended}`;
  if (late) return "gave no answer";
  if (ms > mostMs) return `took ${ms} ms`;
  if (mib > mostMib) return `took ${mib} MiB`;
  if (returned) return "returned";
  if (!error.typed) return `threw ${error.name}: ${error.message}`;
  if (error.message.length > mostCharacters) return `took ${error.message.length} characters`;
  if (error.fn !== fn) return `blamed ${error.fn}: ${error.message}`;
  return undefined;
}

/** True if the table of exceptions allows an argument of a function. */
const allows = (exception, { entry, fn, given }) =>
  exception.entry === entry &&
  exception.names.split(" ").includes(fn) &&
  (exception.given === undefined || exception.given.includes(given));

/**
 * Lists the problems of all calls, and the unused exceptions.
 *
 * @param {Call[]} calls
 * @returns {{ problems: string[], unneeded: string[] }}
 */
export function judge(calls) {
  const needed = new Set();
  const problems = [];
  for (const call of calls) {
    const problem = problemOf(call);
    if (problem === undefined) continue;
    const exempt = call.entry in forPackages || pending.includes(call.entry);
    const exceptions = legal.filter((exception) => allows(exception, call));
    if (exempt) needed.add(call.entry);
    for (const exception of exceptions) {
      const givens = exception.given ?? ["anything"];
      for (const given of exception.given ? [call.given] : givens)
        needed.add(`${call.entry} ${call.fn}: ${given}`);
    }
    // No exception allows a call to hang, exhaust the memory or end the process.
    const grave = call.ended !== undefined || call.late || call.ms > mostMs || call.mib > mostMib;
    if (exceptions.length === 0 && (grave ? !pending.includes(call.entry) : !exempt))
      problems.push(`${call.entry}: ${call.fn}(${call.given}) ${problem}`);
  }
  const all = [
    ...Object.keys(forPackages),
    ...legal.flatMap(({ entry, names, given = ["anything"] }) =>
      names.split(" ").flatMap((name) => given.map((one) => `${entry} ${name}: ${one}`)),
    ),
  ];
  return { problems, unneeded: all.filter((one) => !needed.has(one)) };
}

/**
 * The reference pages by file: for each function the wrong arguments and the messages.
 *
 * @param {Call[]} calls
 * @returns {Map<string, string>}
 */
export function pagesOf(calls) {
  const pages = new Map();
  for (const { name } of publicPackages()) {
    const ownCalls = calls.filter(
      ({ entry, ...call }) =>
        entry.split("/").slice(0, name.split("/").length).join("/") === name &&
        !(entry in forPackages) &&
        !pending.includes(entry) &&
        call.error &&
        problemOf(call) === undefined,
    );
    if (ownCalls.length === 0) continue;
    const sections = Map.groupBy(ownCalls, ({ entry, fn }) => `${entry} ${fn}`);
    const text = [...sections].map(([key, list]) => section(key, list)).join("\n");
    pages.set(`${name.split("/").at(-1)}.md`, `${head(name)}\n${text}`);
  }
  return pages;
}

const head = (name) => `---
# Written by scripts/refusals.mjs from the built package.
title: "${name}"
description: Error messages of ${name} for invalid arguments, function by function.
---

This page lists the error messages of the functions of \`${name}\` for invalid arguments. "Nothing" means a call without
arguments. "Null", "text" and the like replace all arguments; "null as argument 2" replaces only the second argument of an
otherwise valid call.
`;

function section(key, calls) {
  const [entry, fn] = key.split(" ");
  // Rows whose messages differ only in the received value are merged.
  const alike = Map.groupBy(calls, ({ error }) =>
    JSON.stringify([error.argument, error.expected, error.fix]),
  );
  const rows = [...alike.values()].map((same) => {
    const given = same.map((call) => call.given).join(", ");
    return `| ${given} | ${code(same[0].error.message)} |\n`;
  });
  const from = entry.split("/").length > 2 ? ` of \`${entry}\`` : "";
  return `## ${fn}${from}\n\n| invalid argument | error message |\n| --- | --- |\n${rows.join("")}`;
}

/** Escapes text as code in a table: backticks, bars and line breaks. */
const code = (text) => `\`\` ${text.replaceAll("\n", " ").replaceAll("|", "\\|")} \`\``;

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const calls = await callAllWrongly();
  const { problems, unneeded } = judge(calls);
  const drifted = [];
  mkdirSync(folder, { recursive: true });
  for (const [file, text] of pagesOf(calls)) {
    if (!process.argv.includes("--check")) writeFileSync(folder + file, text);
    else if (readPage(file) !== text) drifted.push(`${file}: run npm run refusals`);
  }
  const wrong = [...problems, ...unneeded.map((one) => `not needed: ${one}`), ...drifted];
  console.log(wrong.join("\n") || `${calls.length} calls, all refused`);
  process.exitCode = wrong.length > 0 ? 1 : 0;
}

/** @param {string} file */
export function readPage(file) {
  try {
    return readFileSync(folder + file, "utf8");
  } catch {
    return undefined;
  }
}

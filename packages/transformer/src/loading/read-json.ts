import { readWhole, type OpenFile, type Reading } from "./open-file.js";

/**
 * Replaces bare `Infinity` and `NaN`, which Python writes although JSON does not have them, by objects, as newer files
 * do. Published time step limits contain them.
 */
const withFloats = (text: string): string =>
  text.replace(/"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b/g, (token) =>
    token.startsWith('"') ? token : `{"__float__":"${token}"}`,
  );

/** Reads and parses a JSON file. */
export async function readJson(file: OpenFile, check: Reading["check"]): Promise<unknown> {
  const text = new TextDecoder().decode(await readWhole(file));
  try {
    return JSON.parse(withFloats(text));
  } catch (cause) {
    return check.refuse({
      argument: file.name,
      received: text.slice(0, 40),
      expected: "valid JSON",
      fix: "the file is damaged or another page was sent in its place; fetch it again.",
      cause,
    });
  }
}

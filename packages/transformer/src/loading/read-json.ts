import { readWhole, type OpenFile, type Reading } from "./open-file.js";

/**
 * Python writes `Infinity` and `NaN` bare, which JSON does not have; published limits of time steps are such numbers. Newer files
 * spell them as objects, and so do these.
 */
const withFloats = (text: string): string =>
  text.replace(/"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b/g, (token) =>
    token.startsWith('"') ? token : `{"__float__":"${token}"}`,
  );

/** The value in a file of JSON. */
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

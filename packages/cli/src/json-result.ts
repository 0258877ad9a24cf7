import type { Io } from "./io.js";
import { openOutputFile } from "./output-file.js";

/** Runs a command and writes its result: as JSON with `--json [file]`, and as text otherwise or beside a file. */
export async function withJson<T>(
  json: true | string | undefined,
  { out }: Pick<Io, "out">,
  work: () => Promise<T>,
  text: (result: T) => string,
): Promise<void> {
  // Opened first, so that a file that cannot be written is refused before the work.
  const file = typeof json === "string" ? await openOutputFile(json, "--json") : undefined;
  try {
    const result = await work();
    if (json !== true) out.write(text(result));
    else out.write(`${JSON.stringify(result)}\n`);
    await file?.finish(`${JSON.stringify(result)}\n`);
  } finally {
    await file?.discard();
  }
}

/** Reads all text of an input. */
export async function readText(input: AsyncIterable<Uint8Array | string>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of input)
    text += typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
  return text + decoder.decode();
}

/** Yields lines of an input as they arrive. */
export async function* readLines(input: AsyncIterable<Uint8Array | string>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of input) {
    rest += typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
    const lines = rest.split(/\r?\n/);
    rest = lines.pop()!;
    yield* lines;
  }
  rest += decoder.decode();
  if (rest !== "") yield rest;
}

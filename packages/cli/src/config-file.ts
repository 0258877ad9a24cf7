import { ArgumentError } from "@qkv/core";
import type { Command } from "commander";
import { readFile } from "node:fs/promises";
import { unreadable } from "./missing-file.js";

/**
 * Gives a command the options that a JSON file names, as the command line would: `{ "layers": 4, "learningRate": 0.002 }`.
 * What the command line says wins.
 *
 * @param others - Names that the file may have besides those of options.
 * @returns What the file holds.
 * @throws {ArgumentError} If it cannot be read, names an option that there is not, or a value that the option refuses.
 */
export async function applyConfig(
  command: Command,
  path: string,
  others: readonly string[],
): Promise<Readonly<Record<string, unknown>>> {
  const config = await readConfig(path);
  const options = new Map(
    command.options
      .map((option) => [option.attributeName(), option] as const)
      .filter(([name]) => name !== "config"),
  );
  for (const [name, value] of Object.entries(config)) {
    if (others.includes(name)) continue;
    const option = options.get(name);
    if (!option) {
      const known = [...options.keys(), ...others].join(", ");
      throw refuse(
        path,
        `${JSON.stringify(name)} in it`,
        `names among ${known}`,
        "take the name out, or spell it so.",
      );
    }
    if (command.getOptionValueSource(name) === "cli") continue;
    const parsed = option.parseArg ? option.parseArg(String(value), undefined as never) : value;
    command.setOptionValueWithSource(name, parsed, "config");
  }
  return config;
}

async function readConfig(path: string): Promise<Record<string, unknown>> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    throw await unreadable(path, { argument: "--config", what: "a JSON file of options" }, cause);
  }
  const expected = "a JSON object of options by name";
  const fix = 'write it as { "layers": 4 }, as the `training.json` of a run is.';
  try {
    const value = JSON.parse(text) as unknown;
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch (cause) {
    throw refuse(path, "no valid JSON", expected, fix, cause);
  }
  throw refuse(path, text.slice(0, 40), expected, fix);
}

function refuse(
  path: string,
  received: unknown,
  expected: string,
  fix: string,
  cause?: unknown,
): ArgumentError {
  return new ArgumentError({ fn: "qkv", argument: `--config ${path}`, received, expected, fix, cause });
}

import { checks, knownNames } from "@qkv/core";
import { smallFiles } from "@qkv/core/byte-source";
import type { Command } from "commander";
import { namedText } from "./named-file.js";

/**
 * Sets options of a command from a JSON file: `{ "layers": 4, "learningRate": 0.002 }`.
 * The command line takes precedence.
 *
 * @param others - Further names that the file may have.
 * @returns The content of the file.
 * @throws {ArgumentError} If it cannot be read, or has an unknown option or an invalid value.
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
      const names = [...options.keys()];
      return configChecks(path).refuse({
        received: `${JSON.stringify(name)} in it`,
        expected: `names among ${knownNames(name, names, `\`qkv ${command.name()} --help\``)}`,
        fix: "remove the name, or correct its spelling.",
      });
    }
    if (command.getOptionValueSource(name) === "cli") continue;
    const parsed = option.parseArg ? option.parseArg(String(value), undefined as never) : value;
    command.setOptionValueWithSource(name, parsed, "config");
  }
  return config;
}

async function readConfig(path: string): Promise<Record<string, unknown>> {
  const use = { argument: "--config", what: "a JSON file of options" };
  const text = await namedText(path, use, smallFiles.configuration);
  const refuse = (received: string, cause?: unknown): never =>
    configChecks(path).refuse({
      received,
      expected: "a JSON object of options by name",
      fix: 'write it as { "layers": 4 }, as the `training.json` of a run is.',
      cause,
    });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    return refuse("no valid JSON", cause);
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  return refuse(text.slice(0, 40));
}

const configChecks = (path: string) => checks("qkv", { argument: `--config ${path}` });

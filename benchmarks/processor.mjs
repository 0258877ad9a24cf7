import { readFileSync } from "node:fs";
import os from "node:os";

/**
 * The processor's name. Virtual machines have one name ("AMD EPYC") for very different processors, so on Linux the family and
 * model numbers, which identify generations, are appended.
 */
export function processorName() {
  const name = (os.cpus()[0]?.model ?? "unknown").replace(/\s+/g, " ").trim();
  let text = "";
  try {
    text = readFileSync("/proc/cpuinfo", "utf8");
  } catch {
    return name; // not Linux
  }
  const number = (field) => new RegExp(`^${field}\\s*: (\\d+)$`, "m").exec(text)?.[1];
  const [family, model] = [number("cpu family"), number("model")];
  return family === undefined || model === undefined ? name : `${name}, family ${family} model ${model}`;
}

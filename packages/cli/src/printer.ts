import { visibleText } from "@qkv/core";
import type { Output } from "./io.js";

/**
 * An output that escapes control characters on a terminal, as texts may come from untrusted files: names of tensors, tokens,
 * messages. Files and pipes get all characters unchanged.
 */
export function printer(output: Output): Output {
  return {
    ...(output.isTTY !== undefined && { isTTY: output.isTTY }),
    write: (text) => output.write(output.isTTY ? visibleText(text) : text),
    control: (sequence) => output.write(sequence),
  };
}

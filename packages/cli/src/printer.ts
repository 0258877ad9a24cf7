import { visibleText } from "@qkv/core";
import type { Output } from "./io.js";

/**
 * An output whose texts steer no terminal, wherever they come from: a model's name of a tensor, a token, a message. What
 * is no terminal gets every character as it is.
 */
export function printer(output: Output): Output {
  return {
    ...(output.isTTY !== undefined && { isTTY: output.isTTY }),
    write: (text) => output.write(output.isTTY ? visibleText(text) : text),
    control: (sequence) => output.write(sequence),
  };
}

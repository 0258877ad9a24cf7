// An esbuild plugin for live code: tensors that name no device are made on the one that the page has chosen, if it has.
// In the packages themselves the device of such tensors is always plain JavaScript.
import { readFileSync } from "node:fs";

const chosen = 'device = globalThis[Symbol.for("qkv/live/device")] ?? js()';
/** A parameter's default; a variable's value ends with a semicolon. */
const pattern = /\bdevice = js\(\)(?=\s*[,)}])/g;

/** Defaults of each package, so that a new way of writing one is not overlooked. */
const expected = { tensor: 2, transformer: 8 };

/** A package's text in which the default of each parameter `device` is the chosen one, and how many there were. */
export function withChosenDevice(text) {
  let count = 0;
  return { text: text.replace(pattern, () => (count++, chosen)), count };
}

export const defaultDevice = {
  name: "default-device",
  setup({ onLoad, onEnd, onStart }) {
    const counts = new Map();
    onStart(() => counts.clear());
    onLoad({ filter: /[\\/]packages[\\/](tensor|transformer)[\\/]dist[\\/].*\.js$/ }, ({ path }) => {
      const { text, count } = withChosenDevice(readFileSync(path, "utf8"));
      const name = /[\\/]packages[\\/](\w+)[\\/]/.exec(path)[1];
      counts.set(name, (counts.get(name) ?? 0) + count);
      return { contents: text, loader: "js" };
    });
    onEnd(() => {
      for (const [name, count] of counts)
        if (count !== expected[name])
          throw new Error(
            `default-device: ${count} defaults of a device in ${name}, expected ${expected[name]}`,
          );
    });
  },
};

// An esbuild plugin for live code: tensors without an explicit device are created on the device chosen in the page. In
// the packages themselves, such tensors are on plain JavaScript.
import { readFileSync } from "node:fs";

const chosen = 'globalThis[Symbol.for("qkv/live/device")] ?? js()';
/** Default values of a parameter; a variable's initializer ends with a semicolon. */
const pattern = /(?<=\bdevice(: Device)? = )js\(\)(?=\s*[,)}])/g;

/** Number of defaults in each package, so that a new form of default is noticed. */
const expected = { tensor: 2, transformer: 8 };

/**
 * A package's code in which each default of a parameter `device` is the chosen device, and the number of replacements.
 */
export function withChosenDevice(text) {
  let count = 0;
  return { text: text.replace(pattern, () => (count++, chosen)), count };
}

export const defaultDevice = {
  name: "default-device",
  setup({ onLoad, onEnd, onStart }) {
    const counts = new Map();
    onStart(() => counts.clear());
    onLoad(
      { filter: /[\\/]packages[\\/](tensor|transformer)[\\/](dist[\\/].*\.js|src[\\/].*\.ts)$/ },
      ({ path }) => {
        const { text, count } = withChosenDevice(readFileSync(path, "utf8"));
        const name = /[\\/]packages[\\/](\w+)[\\/]/.exec(path)[1];
        counts.set(name, (counts.get(name) ?? 0) + count);
        return { contents: text, loader: path.endsWith(".ts") ? "ts" : "js" };
      },
    );
    onEnd(() => {
      for (const [name, count] of counts)
        if (count !== expected[name])
          throw new Error(
            `default-device: ${count} defaults of a device in ${name}, expected ${expected[name]}`,
          );
    });
  },
};

import { check, connect, show, type Message } from "@qkv/page";
import { add, tensor } from "@qkv/tensor";
import { afterEach, expect, test } from "vitest";
import { withChosenDevice } from "../../scripts/default-device.mjs";
import { mostReads } from "./replay";
import { unfitDevices } from "./unfit-devices";

const place = Symbol.for("qkv/live/device");
/** The global with the default device, as in the bundles of live code. */
const device = () => {
  const chosen = (globalThis as { [place]?: ReturnType<typeof tensor>["device"] })[place];
  return chosen ? { device: chosen } : {};
};
afterEach(() => connect(undefined));

/** Runs an example as the build does. */
async function unfit(example: () => unknown, code = "") {
  const run = async () => {
    const messages: Message[] = [];
    connect({ post: (message) => messages.push(message), values: {} });
    example();
    return Promise.resolve(messages);
  };
  return unfitDevices(code, run, await run());
}

test("an example that only computes and shows runs on all devices", async () => {
  expect(await unfit(() => show(String(add(tensor([1, 2], device()), 1).data)))).toEqual({});
});

test("an example that creates its own device is not run on others", async () => {
  let runs = 0;
  expect(await unfit(() => (runs += 1), 'import { wasm } from "@qkv/wasm";')).toEqual({});
  expect(runs).toBe(1);
});

test("checks that fail on a device, and too many synchronous reads, are reasons", async () => {
  const x = () => tensor([1], device());
  expect(await unfit(() => void check("plain", x().device.name === "js"))).toEqual({
    wasm: "its checks are of plain JavaScript",
    webgpu: "its checks are of plain JavaScript",
  });
  const many = () => {
    for (let i = 0; i <= mostReads; i++) void add(x(), i).data;
  };
  expect(await unfit(many)).toEqual({ webgpu: "it reads too many numbers at once" });
  const plain = () => {
    if (x().device.name !== "js") throw new Error("not here");
  };
  expect(await unfit(plain)).toEqual({
    wasm: "it needs plain JavaScript",
    webgpu: "it needs plain JavaScript",
  });
});

test("the bundles of live code use the chosen device as the default of parameters, and nowhere else", () => {
  const { text, count } = withChosenDevice(
    "function f(a, device = js(), b) {}\nfunction g({ device = js() } = {}) {}\nconst device = js();\n",
  );
  expect(count).toBe(2);
  const chosen = 'device = globalThis[Symbol.for("qkv/live/device")] ?? js()';
  expect(text).toBe(
    `function f(a, ${chosen}, b) {}\nfunction g({ ${chosen} } = {}) {}\nconst device = js();\n`,
  );
});

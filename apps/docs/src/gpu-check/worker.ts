// Runs the check in a worker, so that the page stays responsive during float64 computations. Third-party libraries are
// loaded here, from this site, when the page requests them.
import { attention, causal, maskTensor } from "@qkv/attention";
import { deviceSubject, type Subject } from "@qkv/device/check";
import { gpu } from "@qkv/gpu";
import { js, type Device } from "@qkv/tensor";
import { wasm } from "@qkv/wasm";
import { webgpu } from "@qkv/webgpu";
import type { CheckNews, CheckOrder } from "./messages";
import { runCheck, type Opener } from "./run-check";

const devices: Record<string, () => Promise<Device & { close?(): unknown }>> = {
  webgpu: () => webgpu(),
  wasm: () => wasm(),
  js: () => Promise.resolve(js()),
  "gpu:webgl2": () => gpu({ mode: "webgl2" }),
  "gpu:webasm": () => gpu({ mode: "webasm" }),
};

const deviceOpener = (name: string): Opener => ({
  name,
  async open() {
    const device = await devices[name]!();
    const facts = device.report() as { adapter?: string; renderer?: string; software?: boolean };
    const adapter = facts.adapter ?? facts.renderer;
    const subject = deviceSubject(name, device, (query, key, value, mask) =>
      attention(query, key, value, mask && { mask: mask === "causal" ? causal() : maskTensor(mask) }),
    );
    return {
      subject,
      close: () => device.close?.(),
      ...(adapter !== undefined && { adapter: { name: adapter, software: facts.software ?? false } }),
    };
  },
});

const peerOpener = ({ name, url }: CheckOrder["peers"][number]): Opener => ({
  name,
  async open() {
    const library = (await import(url)) as { open(name: string): Promise<Subject> };
    return { subject: await library.open(name) };
  },
});

self.addEventListener("message", ({ data }: MessageEvent<CheckOrder>) => {
  const openers = [...data.devices.map(deviceOpener), ...data.peers.map(peerOpener)];
  void runCheck(openers, (news: CheckNews) => self.postMessage(news));
});

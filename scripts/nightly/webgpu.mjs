export const about =
  "WebGPU on the adapter that Node finds: 10,000 calls of attention and 1,000 tokens in flat memory without a new shader, and the conformance families with subgroups on and off and with weights of 16 bits on and off.";
const conformance = (device) => ({
  name: device,
  command: ["node", "conformance/dist/main.js", "--device", device],
  counts: true,
});
export const steps = [
  { name: "build", command: ["turbo", "run", "build", "--filter=conformance..."] },
  { name: "flat", command: ["node", "--expose-gc", "scripts/flat/webgpu.mjs"], counts: true },
  ...["webgpu", "webgpu,subgroups=off", "webgpu,float16=off", "webgpu,subgroups=off,float16=off"].map(
    conformance,
  ),
];

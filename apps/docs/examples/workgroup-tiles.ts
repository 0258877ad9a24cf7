import { check, choice, print, show } from "@qkv/page";
import { bars } from "@qkv/viz";

const n = choice("side of the matrices", [128, 256, 512, 1024], { value: 256 });
const bindings = `@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> c: array<f32>;
const n = ${n}u;`;

// 1. Each thread reads a row of a and a column of b from the GPU's memory.
const direct = `${bindings}
@compute @workgroup_size(16, 16)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  var sum = 0.0;
  for (var k = 0u; k < n; k++) { sum += a[id.y * n + k] * b[k * n + id.x]; }
  c[id.y * n + id.x] = sum;
}`;

// 2. The 256 threads of a workgroup copy a tile of 16 × 16 numbers of a and of
// b into memory that they share, one number each, wait for each other, and
// read both tiles there 16 times.
const tiled = `${bindings}
var<workgroup> tileA: array<array<f32, 16>, 16>;
var<workgroup> tileB: array<array<f32, 16>, 16>;
@compute @workgroup_size(16, 16)
fn main(
  @builtin(global_invocation_id) id: vec3<u32>,
  @builtin(local_invocation_id) own: vec3<u32>,
) {
  var sum = 0.0;
  for (var start = 0u; start < n; start += 16u) {
    tileA[own.y][own.x] = a[id.y * n + start + own.x];
    tileB[own.y][own.x] = b[(start + own.y) * n + id.x];
    workgroupBarrier();
    for (var k = 0u; k < 16u; k++) { sum += tileA[own.y][k] * tileB[k][own.x]; }
    workgroupBarrier();
  }
  c[id.y * n + id.x] = sum;
}`;

const kernels = [
  { name: "from memory", code: direct, reads: 2 * n ** 3 },
  { name: "in tiles", code: tiled, reads: (2 * n ** 3) / 16 },
];
for (const { name, reads } of kernels)
  print(`${name}: ${(reads / 1e6).toFixed(1)} million numbers read`);

const adapter = await (globalThis as { navigator?: Navigator }).navigator?.gpu
  ?.requestAdapter({ powerPreference: "high-performance" })
  .catch(() => null);
if (!adapter)
  print(
    "This browser gives no WebGPU adapter, so nothing is measured. The counts above hold for every GPU.",
  );
else {
  const { vendor, architecture, description } = adapter.info;
  const name = [vendor, architecture, description].join(" ").trim();
  print("adapter:", name);
  if (/swiftshader|llvmpipe|software/i.test(name))
    print("Software renderer: these times do not reflect a GPU.");
  const device = await adapter.requestDevice();
  // Uses of a buffer, by the numbers of the standard.
  const [mapRead, copySource, copyTarget, storage] = [1, 4, 8, 128];
  const buffer = (usage: number) =>
    device.createBuffer({ size: 4 * n * n, usage });
  const numbers = Float32Array.from({ length: n * n }, (_, i) => (i % 7) - 3);
  const inputs = [0, 1].map(() => buffer(storage | copyTarget));
  for (const one of inputs) device.queue.writeBuffer(one, 0, numbers);
  const output = buffer(storage | copySource);
  const host = buffer(copyTarget | mapRead);

  const results: Float32Array[] = [];
  const rates: number[] = [];
  for (const { name, code } of kernels) {
    const pipeline = await device.createComputePipelineAsync({
      layout: "auto",
      compute: { module: device.createShaderModule({ code }) },
    });
    const group = device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [...inputs, output].map((buffer, binding) => ({
        binding,
        resource: { buffer },
      })),
    });
    const run = async (times: number) => {
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      for (let i = 0; i < times; i++) pass.dispatchWorkgroups(n / 16, n / 16);
      pass.end();
      const start = performance.now();
      device.queue.submit([encoder.finish()]);
      await device.queue.onSubmittedWorkDone();
      return performance.now() - start;
    };
    // As many products as take a while: a browser's clock is coarse.
    let [times, took] = [1, await run(1)];
    while (took < 30 && times < 1024) took = await run((times *= 2));
    const rate = (times * 2 * n ** 3) / took / 1e6;
    rates.push(rate);
    print(
      `${name}: ${Number((took / times).toPrecision(2))} ms, ${rate.toFixed(1)} GFLOP/s`,
    );

    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(output, 0, host, 0, 4 * n * n);
    device.queue.submit([encoder.finish()]);
    await host.mapAsync(1);
    results.push(new Float32Array(host.getMappedRange().slice(0)));
    host.unmap();
  }
  const [first, second] = results;
  check(
    "both give the same product",
    first!.every((y, i) => y === second![i]),
  );
  show(
    bars(
      { data: rates.map((rate) => Number(rate.toPrecision(2))), shape: [2] },
      {
        labels: kernels.map(({ name }) => name),
        title: `Product of two ${n} × ${n} matrices, on your device`,
        unit: "GFLOP/s",
      },
    ),
  );
  device.destroy();
}

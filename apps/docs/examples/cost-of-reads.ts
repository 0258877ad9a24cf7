import { device } from "@qkv/device";
import { choice, print, show } from "@qkv/page";
import { matmul, randn } from "@qkv/tensor";
import { bars } from "@qkv/viz";

const on = choice("device", ["webgpu", "wasm", "js"]);
const side = choice("side of the matrices", [16, 64, 256], { value: 64 });
const best = await device({
  prefer: [on, "js"],
  software: true,
  timeoutMs: 60_000,
});
const { name, adapter, attempts } = best.choice;
print("device:", name);
if (name === "webgpu") print("adapter:", adapter ?? "unnamed");
for (const one of attempts)
  if (one.name === on && name !== on)
    print(`${on} is not available here: ${one.reason}`);

const products = 32;
const x = randn([side, side], { seed: 1 }).to(best);
const product = () => best.scope(() => matmul(x, x));

// One read at the end: the GPU works through all products by itself.
async function readOnce() {
  for (let i = 1; i < products; i++) best.scope(() => void matmul(x, x));
  await product().read();
}
// A read after each product: the program and the GPU wait for each other.
async function readEach() {
  for (let i = 0; i < products; i++) await product().read();
}

async function ms(run: () => Promise<void>) {
  let shortest = Infinity;
  await run(); // compiles
  for (let i = 0; i < 5; i++) {
    const start = performance.now();
    await run();
    shortest = Math.min(shortest, performance.now() - start);
  }
  return shortest;
}
const two = (x: number) => Number(x.toPrecision(2)); // digits
const [once, each] = [await ms(readOnce), await ms(readEach)];
print(`${products} products, one read: ${two(once)} ms`);
print(`${products} products, ${products} reads: ${two(each)} ms`);
const read = Math.max(0, each - once) / (products - 1);
print(`a read costs about ${two(read)} ms more than none`);
show(
  bars(
    { data: [once, each].map(two), shape: [2] },
    {
      labels: ["one read", `${products} reads`],
      title: `${products} products of ${side} × ${side} matrices on ${name}`,
      unit: "ms",
    },
  ),
);
if (!(once > 0 || each > 0)) print("Too short for this browser's clock.");

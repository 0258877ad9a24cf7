import { matmul, ones, slice, type Device } from "@qkv/tensor";

/** Side lengths of the square matrices. */
const sizes = [128, 256, 512, 1024, 2048];
/** No larger product is measured after one that takes this long. Unit: milliseconds. */
const enoughMs = 20;

/**
 * Measures the FLOPs per second of a device's matrix products: the highest rate over square matrices of growing size, in some tens of
 * milliseconds. It is the peak that model FLOPs utilization refers to.
 */
export async function matmulPeak(device: Device): Promise<number> {
  let peak = 0;
  for (const n of sizes) {
    const x = ones([n, n]).to(device);
    let shortestMs = Infinity;
    // The first product, which allocates and compiles, is not timed.
    for (let i = 0; i < 4; i++) {
      const start = performance.now();
      // Reading one number makes the device compute the whole product.
      await device.scope(() => slice(slice(matmul(x, x), 0, 0, 1), 1, 0, 1)).read();
      if (i > 0) shortestMs = Math.min(shortestMs, performance.now() - start);
      if (i > 0 && shortestMs > enoughMs) break;
    }
    peak = Math.max(peak, (2 * n ** 3) / (shortestMs / 1000));
    if (shortestMs > enoughMs) break;
  }
  return peak;
}

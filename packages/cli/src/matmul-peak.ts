import { matmul, ones, slice, type Device } from "@qkv/tensor";

/** Lengths of square matrices. */
const sizes = [128, 256, 512, 1024, 2048];
/** Time of a product above which no larger one is made. Unit: milliseconds. */
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
    // The first product allocates and compiles, and does not count.
    for (let i = 0; i < 4; i++) {
      const start = performance.now();
      // One number is read, which a device computes the whole product for.
      await device.scope(() => slice(slice(matmul(x, x), 0, 0, 1), 1, 0, 1)).read();
      if (i > 0) shortestMs = Math.min(shortestMs, performance.now() - start);
      if (i > 0 && shortestMs > enoughMs) break;
    }
    peak = Math.max(peak, (2 * n ** 3) / (shortestMs / 1000));
    if (shortestMs > enoughMs) break;
  }
  return peak;
}

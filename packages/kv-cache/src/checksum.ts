/**
 * CRC-32 (IEEE 802.3) of the concatenated parts. It detects every error burst of at most 32 bits, and all but one in 2^32 of
 * the other errors.
 */
export function checksum(...parts: readonly Uint8Array[]): number {
  const steps = table();
  let crc = 0xffffffff;
  for (const bytes of parts) {
    for (let i = 0; i < bytes.length; i++) crc = steps[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

let remainders: Uint32Array | undefined;

function table(): Uint32Array {
  return (remainders ??= Uint32Array.from({ length: 256 }, (_, n) => {
    let c = n;
    for (let bit = 0; bit < 8; bit++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
    return c >>> 0;
  }));
}

/** A tensor in a GGUF type: its bytes, and the values that they decode to. */
export type Stored = { type: number; bytes: Uint8Array; numbers: Float64Array };

const u32 = (value: number) => [...new Uint8Array(Uint32Array.of(value).buffer)];
const u64 = (value: number) => [...new Uint8Array(BigUint64Array.of(BigInt(value)).buffer)];
const text = (value: string) => {
  const bytes = new TextEncoder().encode(value);
  return [...u64(bytes.length), ...bytes];
};

/** The bytes of a GGUF file: integers as uint32, other numbers as float32, strings, and tensors with their shapes. */
export function ggufFile(
  metadata: Readonly<Record<string, number | string>>,
  tensors: Readonly<Record<string, Stored & { shape: readonly number[] }>>,
): Uint8Array {
  const entries = Object.entries(metadata).flatMap(([key, value]) => [
    ...text(key),
    ...(typeof value === "string"
      ? [...u32(8), ...text(value)]
      : Number.isInteger(value)
        ? [...u32(4), ...u32(value)]
        : [...u32(6), ...new Uint8Array(Float32Array.of(value).buffer)]),
  ]);
  const aligned = (n: number) => Math.ceil(n / 32) * 32;
  let offset = 0;
  const infos = Object.entries(tensors).flatMap(([name, { shape, type, bytes }]) => {
    const info = [
      ...text(name),
      ...u32(shape.length),
      ...[...shape].reverse().flatMap(u64),
      ...u32(type),
      ...u64(offset),
    ];
    offset += aligned(bytes.length);
    return info;
  });
  const magic = [...new TextEncoder().encode("GGUF"), ...u32(3)];
  const header = [
    ...magic,
    ...u64(Object.keys(tensors).length),
    ...u64(Object.keys(metadata).length),
    ...entries,
    ...infos,
  ];
  const file = new Uint8Array(aligned(header.length) + offset);
  file.set(header);
  let at = aligned(header.length);
  for (const { bytes } of Object.values(tensors)) {
    file.set(bytes, at);
    at += aligned(bytes.length);
  }
  return file;
}

/**
 * A float16 near a number, as value and bits. Exact for powers of two and numbers with few digits, which suffices here.
 */
function half(value: number): [bits: number, value: number] {
  if (value === 0) return [0, 0];
  const sign = value < 0 ? 0x8000 : 0;
  const exponent = Math.floor(Math.log2(Math.abs(value)));
  if (exponent < -14) {
    const steps = Math.round(Math.abs(value) / 2 ** -24);
    return [sign | steps, Math.sign(value) * steps * 2 ** -24];
  }
  const fraction = Math.round((Math.abs(value) / 2 ** exponent - 1) * 1024);
  const [e, f] = fraction === 1024 ? [exponent + 1, 0] : [exponent, fraction];
  return [sign | ((e + 15) << 10) | f, Math.sign(value) * (1 + f / 1024) * 2 ** e];
}

type Encode = (numbers: readonly number[]) => { bytes: number[]; stands: number[] };

const halfBytes = (value: number): { bytes: number[]; stands: number } => {
  const [bits, stands] = half(value);
  return { bytes: [bits & 255, bits >> 8], stands };
};

const largest = (numbers: readonly number[]) => Math.max(...numbers.map(Math.abs), 1e-6);

/** Blocks of each type, written field by field as ggml defines them, with the values that they decode to. */
const encoders: Readonly<Record<string, { type: number; size: number; encode: Encode }>> = {
  f32: {
    type: 0,
    size: 1,
    encode: ([x]) => ({ bytes: [...new Uint8Array(Float32Array.of(x!).buffer)], stands: [Math.fround(x!)] }),
  },
  f16: {
    type: 1,
    size: 1,
    encode: ([x]) => {
      const { bytes, stands } = halfBytes(x!);
      return { bytes, stands: [stands] };
    },
  },
  q8_0: {
    type: 8,
    size: 32,
    encode(numbers) {
      const d = halfBytes(largest(numbers) / 127);
      const q = numbers.map((x) => Math.round(x / d.stands));
      return { bytes: [...d.bytes, ...q.map((n) => n & 255)], stands: q.map((n) => n * d.stands) };
    },
  },
  q4_0: {
    type: 2,
    size: 32,
    encode(numbers) {
      const d = halfBytes(largest(numbers) / 7);
      const q = numbers.map((x) => Math.max(0, Math.min(15, Math.round(x / d.stands) + 8)));
      const pairs = Array.from({ length: 16 }, (_, i) => q[i]! | (q[i + 16]! << 4));
      return { bytes: [...d.bytes, ...pairs], stands: q.map((n) => (n - 8) * d.stands) };
    },
  },
  q4_k: {
    type: 12,
    size: 256,
    encode(numbers) {
      // Eight groups, each with a 6-bit scale and a 6-bit minimum in units of d and dmin.
      const groups = Array.from({ length: 8 }, (_, j) => numbers.slice(32 * j, 32 * j + 32));
      const lows = groups.map((group) => Math.max(0, -Math.min(...group)));
      const steps = groups.map((group, j) => (Math.max(...group) + lows[j]!) / 15);
      const d = halfBytes(largest(steps) / 63);
      const dmin = halfBytes(largest(lows) / 63);
      const scales = steps.map((step) => Math.max(1, Math.round(step / d.stands)));
      const mins = lows.map((low) => Math.min(63, Math.round(low / dmin.stands)));
      const packed = new Array<number>(12).fill(0);
      for (let j = 0; j < 4; j++) {
        packed[j] = scales[j]! | ((scales[j + 4]! >> 4) << 6);
        packed[j + 4] = mins[j]! | ((mins[j + 4]! >> 4) << 6);
        packed[j + 8] = (scales[j + 4]! & 15) | ((mins[j + 4]! & 15) << 4);
      }
      const q = groups.map((group, j) =>
        group.map((x) =>
          Math.max(0, Math.min(15, Math.round((x + mins[j]! * dmin.stands) / (scales[j]! * d.stands)))),
        ),
      );
      const bytes = [0, 2, 4, 6].flatMap((j) => q[j]!.map((n, i) => n | (q[j + 1]![i]! << 4)));
      return {
        bytes: [...d.bytes, ...dmin.bytes, ...packed, ...bytes],
        stands: q.flatMap((group, j) => group.map((n) => n * scales[j]! * d.stands - mins[j]! * dmin.stands)),
      };
    },
  },
};

/** The names of the supported types. */
export type GgufType = "f32" | "f16" | "q8_0" | "q4_0" | "q4_k";

/** Values encoded in a GGUF type. */
export function stored(numbers: readonly number[], name: GgufType): Stored {
  const { type, size, encode } = encoders[name]!;
  const bytes: number[] = [];
  const stands: number[] = [];
  for (let at = 0; at < numbers.length; at += size) {
    const block = encode(numbers.slice(at, at + size));
    for (const byte of block.bytes) bytes.push(byte);
    for (const number of block.stands) stands.push(number);
  }
  return { type, bytes: Uint8Array.from(bytes), numbers: Float64Array.from(stands) };
}

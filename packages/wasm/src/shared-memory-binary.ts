/**
 * Changes a binary to import a shared memory, for threads. Only one bit of the memory import differs, so the package has a single
 * binary for both.
 *
 * @see WebAssembly core specification 3.0, binary format: import section, limits (flag 1: shared)
 */
export function withSharedMemory(binary: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const bytes = binary.slice();
  let at = 8; // after magic number and version
  const number = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]!;
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  };
  const name = () => {
    const length = number();
    at += length;
  };
  const [imports, memory] = [2, 2];
  while (bytes[at++] !== imports) {
    const size = number();
    at += size;
  }
  number(); // bytes of the section
  number(); // imports: the memory is the first
  name();
  name();
  if (bytes[at++] !== memory) throw new RangeError("the kernels' first import is not their memory");
  bytes[at]! |= 2;
  return bytes;
}

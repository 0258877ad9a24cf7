// Typed arrays whose buffer is an ArrayBuffer, not a SharedArrayBuffer. TypeScript 5.7 made `Uint8Array` generic; with
// `ReturnType`, the declarations compile with older versions too.
export type OwnBytes = ReturnType<typeof Uint8Array.of>;
export type OwnHalves = ReturnType<typeof Uint16Array.of>;
export type OwnFloats = ReturnType<typeof Float32Array.of>;

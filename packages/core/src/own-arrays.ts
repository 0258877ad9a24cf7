// Arrays over an ArrayBuffer of their own, whose type has an argument for TypeScript since 5.7 and none before: written
// so that the declarations compile with both.
export type OwnBytes = ReturnType<typeof Uint8Array.of>;
export type OwnHalves = ReturnType<typeof Uint16Array.of>;
export type OwnFloats = ReturnType<typeof Float32Array.of>;

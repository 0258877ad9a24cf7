// Typed arrays over an ArrayBuffer that is not shared. TypeScript has `Uint8Array<ArrayBuffer>` since 5.7 and no type
// argument before: `ReturnType` gives declarations that compile with both.
export type OwnBytes = ReturnType<typeof Uint8Array.of>;
export type OwnHalves = ReturnType<typeof Uint16Array.of>;
export type OwnFloats = ReturnType<typeof Float32Array.of>;

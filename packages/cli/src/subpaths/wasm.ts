export * from "@qkv/wasm";

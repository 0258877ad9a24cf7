export * from "@qkv/wasm/limits";

export * from "@qkv/wasm/urls";

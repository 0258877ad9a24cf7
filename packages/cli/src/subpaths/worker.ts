export * from "@qkv/worker";

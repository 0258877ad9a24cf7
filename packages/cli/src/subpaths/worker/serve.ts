export * from "@qkv/worker/serve";

export * from "@qkv/worker/training";

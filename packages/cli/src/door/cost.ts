export * from "@qkv/cost";

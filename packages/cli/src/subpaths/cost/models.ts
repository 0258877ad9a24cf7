export * from "@qkv/cost/models";

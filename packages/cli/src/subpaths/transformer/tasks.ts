export * from "@qkv/transformer/tasks";

export * from "@qkv/attention/catalogue";

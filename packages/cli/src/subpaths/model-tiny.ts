export * from "@qkv/model-tiny";

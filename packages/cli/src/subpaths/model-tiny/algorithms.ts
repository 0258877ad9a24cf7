export * from "@qkv/model-tiny/algorithms";

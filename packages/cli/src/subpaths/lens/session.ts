export * from "@qkv/lens/session";

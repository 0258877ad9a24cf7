export * from "@qkv/viz/react";

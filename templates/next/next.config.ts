import type { NextConfig } from "next";

// The model runs on the server: qkv is imported there as it is.
const config: NextConfig = { serverExternalPackages: ["qkv"] };

export default config;

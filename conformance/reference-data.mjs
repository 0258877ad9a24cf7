// The reference data that tests, checks and measurements read: the project's own in `conformance/data`, or the folder that
// QKV_DATA names (relative to the repository).
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { dataFolder } from "./data-folder.mjs";

const root = fileURLToPath(new URL("../", import.meta.url));

export const ownData = dataFolder(resolve(root, "conformance/data"));
export const referenceData = process.env.QKV_DATA ? dataFolder(resolve(root, process.env.QKV_DATA)) : ownData;

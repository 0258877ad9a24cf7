import type { DataFolder } from "./data-folder.mjs";

/** The project's own reference data, `conformance/data`. */
export const ownData: DataFolder;

/** The reference data that tests read: the folder that `$QKV_DATA` names (relative to the repository), else {@link ownData}. */
export const referenceData: DataFolder;

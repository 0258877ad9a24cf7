/** The command that lists all known checkpoints, for messages. */
export const checkpointsCommand = "`qkv checkpoints`";
